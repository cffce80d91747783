import Events
import Logging
import Models

/// What others have left of a model's builds, for whoever notices: a switch to be finished, builds to be removed, a view that
/// is not where the pointer is.
public struct LeftBuilds: Sendable {
    private let model: String
    private let places: [RebuildFold.Place]
    private let store: any SwitchStore
    private let leases: any LeaseStore
    private let holder: String
    private let lease: Duration
    private let logger: Logger
    private let folding: @Sendable (StoredBuild) throws -> any Folding

    /// - Parameters:
    ///   - lease: how long the lease of the model's builds is taken for.
    ///   - folding: the fold that a build was made by. Throws where this binary does not carry it.
    public init(
        _ model: String, _ places: [RebuildFold.Place], _ store: any SwitchStore, _ leases: any LeaseStore, holder: String, lease: Duration,
        logger: Logger, folding: @escaping @Sendable (StoredBuild) throws -> any Folding
    ) {
        self.model = model
        self.places = places
        self.store = store
        self.leases = leases
        self.holder = holder
        self.lease = lease
        self.logger = logger
        self.folding = folding
    }

    /// Looks once, and puts right what it finds, unless somebody else is at it.
    public func look() async throws {
        guard try await isAnythingLeft() else { return }
        let holder = LeaseHolder(id: holder, sessions: [try await store.sessionId()])
        do {
            try await SoleWork.onBuilds(of: model, leases, holder, lease).run { _ in try await putRight() }
        } catch let refusal as Refusal where refusal.problem == .leaseHeld {}
    }

    private func isAnythingLeft() async throws -> Bool {
        guard let pointer = try await store.pointer(to: model) else { return false }
        if pointer.entry != nil || pointer.builds.contains(where: { $0.state == .dropping }) { return true }
        if pointer.builds.contains(where: { $0.state.isKept }), try await !pointer.droppable(at: store.clock()).isEmpty { return true }
        return try await store.view(of: model) != pointer.live
    }

    private func putRight() async throws {
        if let entry = try await store.pointer(to: model)?.entry {
            let switching = BuildSwitch(model: model, places, store, logger: logger, folding: folding)
            let isMade = try await switching.finish(entry)
            logger.info("a switch that was left is over", metadata: ["model": "\(model)", "target": "\(entry.target)", "made": "\(isMade)"])
        }
        let time = try await store.clock()
        for build in try await store.pointer(to: model)?.droppable(at: time) ?? [] {
            try await store.drop(build)
            logger.info("a build is removed that was kept long enough", metadata: ["build": "\(build)"])
        }
        // 18: a switch that somebody began long ago may have pointed it elsewhere.
        while let pointer = try await store.pointer(to: model), let live = pointer.liveBuild, try await store.view(of: model) != live.id {
            guard try await store.pointView(at: live) else { return }
        }
    }
}
