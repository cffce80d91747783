import Events

/// A read model: its definition, compiled.
public struct Model: Sendable {
    public var name: String
    public var stream: String
    public var fold: EffectFold
    /// `private`: fields that the read API does not give away.
    public var privateFields: [FieldPath]
    /// `indexes`: of the collection that its documents are in.
    public var indexes: [DocumentIndex]
    /// `read`: where the read API reads its documents.
    public var reading: ReadSettings
    /// `cache`: what the read API keeps of them in memory.
    public var cache: CacheSettings?
    /// `source`: what its documents must agree with besides their events.
    public var truth: SourceOfTruth?
    /// The YAML it came from, kept with each build.
    public var source: String
    /// What the stream says of the versions of the types that it names, as JSON, kept with each build; nil for nothing.
    public var versions: String?
    /// The digest of the definition's fold part: a change needs a rebuild.
    public var foldHash: String
    /// What it would be with `onError: stop`.
    public var stoppingHash: String

    public init(
        name: String, stream: String, fold: EffectFold, privateFields: [FieldPath] = [], indexes: [DocumentIndex] = [], reading: ReadSettings = ReadSettings(),
        cache: CacheSettings? = nil, truth: SourceOfTruth? = nil, source: String, versions: String? = nil, foldHash: String, stoppingHash: String
    ) {
        self.name = name
        self.stream = stream
        self.fold = fold
        self.privateFields = privateFields
        self.indexes = indexes
        self.reading = reading
        self.cache = cache
        self.truth = truth
        self.source = source
        self.versions = versions
        self.foldHash = foldHash
        self.stoppingHash = stoppingHash
    }

    /// Whether a build that was folded under a definition with this hash goes on under this one. Where errors stop a model,
    /// every event behind its checkpoint was taken, so that it is what any other `onError` would have made.
    public func goesOn(with foldHash: String) -> Bool { foldHash == self.foldHash || foldHash == stoppingHash }

    /// A document may not grow beyond this: well below MongoDB's 16 MiB, so that the event that goes too far is parked
    /// and the transaction never refused.
    public static let maximumDocumentSize = ByteCount.mebibytes(8)
}
