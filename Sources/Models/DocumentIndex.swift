/// An index of a model's documents, for those who look for them by other fields than their id.
public struct DocumentIndex: Hashable, Sendable {
    public struct Field: Hashable, Sendable {
        public var path: String
        /// 1 or -1.
        public var direction: Int32

        public init(_ path: String, _ direction: Int32) {
            self.path = path
            self.direction = direction
        }
    }

    /// One of them is `_id`, by which documents that are equal in the others have an order too.
    public let fields: [Field]

    /// - Parameter fields: `_id` is added where it is not among them.
    public init(_ fields: [Field]) { self.fields = fields.contains { $0.path == "_id" } ? fields : fields + [Field("_id", 1)] }

    /// Tells Millrace's indexes from those that somebody else makes.
    public static let prefix = "millrace:"

    /// As it is called in MongoDB: `millrace:category_1,price.amount_-1,_id_1`.
    public var name: String { Self.prefix + fields.map { "\($0.path)_\($0.direction)" }.joined(separator: ",") }

    /// Indexes of one model: each write pays for every one of them, and MongoDB has 64 for a collection.
    public static let mostIndexes = 16
    /// Fields of one: MongoDB's own limit is 32, and `_id` is one of them.
    public static let mostFields = 31
}
