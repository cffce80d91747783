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

    public var fields: [Field]

    public init(_ fields: [Field]) { self.fields = fields }

    /// Tells Millrace's indexes from those that somebody else makes.
    public static let prefix = "millrace:"

    /// As it is called in MongoDB: `millrace:category_1,price.amount_-1`.
    public var name: String { Self.prefix + fields.map { "\($0.path)_\($0.direction)" }.joined(separator: ",") }

    /// Indexes of one model: each write pays for every one of them, and MongoDB has 64 for a collection.
    public static let mostIndexes = 16
    /// Fields of one: MongoDB's own limit.
    public static let mostFields = 32
}
