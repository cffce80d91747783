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

    public init(id: BuildID, stream: String, source: String, versions: String? = nil, foldHash: String, foldVersion: Int32, expires: Bool = false) {
        self.id = id
        self.stream = stream
        self.source = source
        self.versions = versions
        self.foldHash = foldHash
        self.foldVersion = foldVersion
        self.expires = expires
    }

    /// A build of a model as it is defined now, folded by this binary.
    public init(_ id: BuildID, of model: Model) {
        self.init(
            id: id, stream: model.stream, source: model.source, versions: model.versions, foldHash: model.foldHash, foldVersion: Models.foldVersion,
            expires: model.fold.lifetime != nil)
    }

    /// Whether this binary carries the fold that made the build.
    public var isFoldable: Bool { foldVersion == Models.foldVersion }
}
