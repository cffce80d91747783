import Events

/// The projections of one partition's worker: of each build that is live or kept, as the pointer documents say it now.
public actor ProjectedBuilds {
    public private(set) var projections: [Projection]
    private let source: Source?
    /// Those that this binary cannot fold are not tried again.
    private var unfoldable: Set<BuildID> = []

    /// How often the pointer documents are looked at: for so long at most a worker goes on with a build that readers cannot
    /// be sent to any more, and does not know one that they are sent to.
    private static let interval = Duration.seconds(1)

    private struct Source: Sendable {
        var builds: @Sendable () async throws -> [StoredBuild]
        var make: @Sendable (StoredBuild) -> Projection?
    }

    /// - Parameters:
    ///   - builds: those to be projected at the moment, in order.
    ///   - make: a build's projection; nil where this binary cannot fold it.
    public init(_ builds: @escaping @Sendable () async throws -> [StoredBuild], make: @escaping @Sendable (StoredBuild) -> Projection?) {
        projections = []
        source = Source(builds: builds, make: make)
    }

    /// These, and always these.
    public init(_ projections: [Projection]) {
        self.projections = projections
        source = nil
    }

    nonisolated var isFollowing: Bool { source != nil }

    /// Asks which builds there are. Projections of those that stay keep what they know.
    func follow() async throws {
        guard let source else { return }
        let wanted = try await source.builds()
        projections = wanted.compactMap { build in
            if let known = projections.first(where: { $0.build == build.id }) { return known }
            guard !unfoldable.contains(build.id) else { return nil }
            let made = source.make(build)
            if made == nil { unfoldable.insert(build.id) }
            return made
        }
    }

    /// Asks from time to time, until it is cancelled. A failure to ask is left to the next time.
    func keepFollowing(_ clock: any Clock<Duration>) async throws {
        while true {
            try await clock.sleep(for: Self.interval)
            do { try await follow() } catch let failure as any StoreFailure where failure.isRetriable {}
        }
    }

    func forget() async {
        for projection in projections { await projection.forget() }
    }
}
