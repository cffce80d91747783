import Events
import Logging
import Models
import Values

/// Sends a model's readers over to another build (rule 18). Every one of them sees the old build or the new one.
///
/// It keeps nothing: each step is decided by what is stored, so that whoever finds a switch that somebody else has left can
/// go on with it.
public struct BuildSwitch: Sendable {
    private let model: String
    private let partitions: [PartitionID]
    private let store: any SwitchStore
    private let reach: @Sendable (BuildID, [PartitionID: Int64]) async throws -> Void
    private let settings: Settings
    private let logger: Logger

    public struct Settings: Sendable {
        /// How long the live build may stand still for a new one that cannot be brought on: then the switch is struck out.
        public var patience = Duration.seconds(30)
        /// What it waits by, and what its waits are drawn from: a simulation brings its own.
        public var clock: any Clock<Duration> = ContinuousClock()
        public var random: any RandomNumberGenerator & Sendable = SystemRandomNumberGenerator()

        public init() {}
    }

    /// - Parameter reach: takes a build to an offset of each of these partitions. Throws where it cannot get there.
    public init(
        model: String, partitions: [PartitionID], store: any SwitchStore, settings: Settings = Settings(), logger: Logger,
        reach: @escaping @Sendable (BuildID, [PartitionID: Int64]) async throws -> Void
    ) {
        self.model = model
        self.partitions = partitions
        self.store = store
        self.settings = settings
        self.logger = logger
        self.reach = reach
    }

    /// A switch whose target is folded in these places.
    ///
    /// - Parameters:
    ///   - fold: of the target, where it is under way already.
    ///   - folding: the fold that a build was made by.
    public init(
        model: String, _ places: [RebuildFold.Place], _ store: any SwitchStore, _ fold: RebuildFold? = nil, logger: Logger,
        folding: @escaping @Sendable (StoredBuild) throws -> any Folding
    ) {
        self.init(model: model, partitions: places.map(\.partition), store: store, logger: logger) { build, offsets in
            if let fold, fold.build == build { return try await fold.reach(offsets) }
            guard let target = try await store.pointer(to: model)?.build(build)?.build else {
                throw Refusal(.noProgress, "\(build) is gone: it cannot be read any more")
            }
            try await RebuildFold(build, try folding(target), places, logger: logger).reach(offsets)
        }
    }

    /// Enters a switch to a build. Throws a `Refusal` where there is one under way, or the build cannot be read.
    ///
    /// - Parameter keep: how long the build that is left is kept.
    public func enter(_ target: BuildID, keep: Duration, id: String = RandomUUID.text()) async throws -> SwitchEntry {
        let entry = SwitchEntry(id: id, target: target, keep: Int64(keep / .milliseconds(1)))
        let entered = try await store.change(model) { $0.entering(entry) }
        // Its own attempt may have taken effect without an answer.
        if entered == nil, try await store.pointer(to: model)?.entry != entry {
            throw Refusal(.noProgress, "\(model) cannot be switched to \(target): another switch is under way, or the build is gone; see millrace status")
        }
        CrashPoint.switchEntered.reached()
        return entry
    }

    /// Strikes a switch out, unless readers have gone over already. The freeze that it leaves is lifted by whoever finds it.
    public func strikeOut(_ entry: SwitchEntry) async throws { _ = try await store.change(model) { $0.struckOut(entry.id) } }

    /// Goes on with a switch until it is over, and says whether readers are on its target. A fault of a server is borne with;
    /// where the target cannot be brought to where the live build stands, the switch is struck out and the error thrown.
    public func finish(_ entry: SwitchEntry) async throws -> Bool {
        var random = settings.random
        var pause = Backoff(first: .milliseconds(20), most: .seconds(1))
        var waited = Duration.zero
        while true {
            do {
                if let isMade = try await step(entry) { return isMade }
                pause.reset()
                waited = .zero
            } catch {
                let isFault = (error as? any StoreFailure)?.isRetriable ?? false
                let wait = pause.next(using: &random)
                waited += wait
                if !isFault || waited > settings.patience {
                    try await strikeOut(entry)
                    throw error
                }
                logger.debug("a switch goes on after a fault", metadata: ["model": "\(model)", "error": "\(error)"])
                try await settings.clock.sleep(for: wait)
            }
        }
    }

    /// One step; nil where there is more to do.
    private func step(_ entry: SwitchEntry) async throws -> Bool? {
        let pointer = try await store.pointer(to: model)
        var (old, new, view): ([Checkpoint], [Checkpoint], BuildID?) = ([], [], nil)
        if let pointer, pointer.live == entry.target {
            view = try await store.view(of: model)
        } else if let pointer {
            old = try await checkpoints(of: pointer.live)
            new = try await checkpoints(of: entry.target)
        }
        switch SwitchStep(entry.id, entry.target, pointer: pointer, old: old, new: new, view: view) {
        case .freeze(let build, let partitions):
            try await store.freeze(build, partitions, under: entry.id)
            CrashPoint.checkpointsFrozen.reached()
        case .reach(let build, let offsets):
            try await reach(build, offsets)
            CrashPoint.frozenReached.reached()
        case .move:
            let now = try await store.clock()
            if let pointer, let moved = pointer.moved(entry.id, at: now), try await store.replace(pointer, with: moved) { CrashPoint.pointerMoved.reached() }
        case .pointView(let build):
            guard let build = pointer?.build(build)?.build else { return nil }
            if try await store.pointView(at: build) { CrashPoint.viewPointed.reached() }
        case .close:
            let closed = try await store.change(model) { $0.closed(entry.id) }
            CrashPoint.switchClosed.reached()
            if let closed { try await thaw(closed.projected.map(\.id), entry.id) }
        case .over(let isMade): return isMade
        }
        return nil
    }

    private func checkpoints(of build: BuildID) async throws -> [Checkpoint] {
        var checkpoints: [Checkpoint] = []
        for partition in partitions {
            guard let checkpoint = try await store.checkpoint(of: build, partition) else {
                throw Refusal(.noProgress, "\(build) is being removed: it cannot be read any more")
            }
            checkpoints.append(checkpoint)
        }
        return checkpoints
    }

    /// What was left goes on at once; where this is not reached, whoever projects it lifts the freeze.
    private func thaw(_ builds: [BuildID], _ id: String) async throws {
        for build in builds {
            for partition in partitions {
                guard let checkpoint = try await store.checkpoint(of: build, partition), checkpoint.frozen == id else { continue }
                _ = try await store.thaw(checkpoint)
                CrashPoint.thawed.reached()
            }
        }
    }
}
