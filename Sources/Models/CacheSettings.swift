import Events

/// What the read API keeps in memory of a model's documents.
public struct CacheSettings: Hashable, Sendable {
    /// The fields that are kept; nil for whole documents.
    public var fields: [FieldPath]?
    /// How long a document that no event has changed is kept without being read again.
    public var maxAge: Duration
    /// Of all documents together.
    public var maxBytes: ByteCount

    public static let ageRange = Duration.seconds(1)...Duration.seconds(86_400)
    public static let bytesRange = ByteCount(64 << 10)...ByteCount(64 << 30)

    public init(fields: [FieldPath]? = nil, maxAge: Duration = .seconds(60), maxBytes: ByteCount = .mebibytes(64)) {
        self.fields = fields
        self.maxAge = maxAge
        self.maxBytes = maxBytes
    }
}
