import Events
import Models

/// A build with the whole definition it is folded under.
public struct StoredBuild: Hashable, Sendable {
    public var id: BuildID
    public var stream: String
    public var source: String
    /// What the stream said of the versions of its events, as JSON; nil for nothing.
    public var versions: String?
    public var foldHash: String
    public var foldVersion: Int32
    /// Whether its documents expire.
    public var expires: Bool
    /// Where its history begins in each partition, if it was loaded from a source of truth; nil for one that is folded from
    /// the beginning of the log.
    public var loaded: [Int64]?

    public init(
        id: BuildID, stream: String, source: String, versions: String? = nil, foldHash: String, foldVersion: Int32, expires: Bool = false,
        loaded: [Int64]? = nil
    ) {
        self.id = id
        self.stream = stream
        self.source = source
        self.versions = versions
        self.foldHash = foldHash
        self.foldVersion = foldVersion
        self.expires = expires
        self.loaded = loaded
    }

    /// A build of a model as it is defined now, folded by this binary.
    public init(_ id: BuildID, of model: Model, loaded: [Int64]? = nil) {
        self.init(
            id: id, stream: model.stream, source: model.source, versions: model.versions, foldHash: model.foldHash, foldVersion: Models.foldVersion,
            expires: model.fold.lifetime != nil, loaded: loaded)
    }

    /// Whether this binary carries the fold that made the build.
    public var isFoldable: Bool { foldVersion == Models.foldVersion }

    /// Where its history begins in a partition; nil where it does with the log.
    public func load(in partition: PartitionID) -> Int64? { loaded?.offset(in: partition) }
}

extension [Int64] {
    /// Of offsets by partition: nil for one that was added since.
    func offset(in partition: PartitionID) -> Int64? { indices.contains(partition.number) ? self[partition.number] : nil }
}
