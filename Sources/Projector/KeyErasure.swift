import Events
import Logging
import Models

/// A log that elements can be taken out of.
public protocol ErasableLog: EventLog {
    /// Takes everything of a key's elements but their places.
    func erase(_ key: String, in partition: PartitionID) async throws -> ErasedElements

    /// The same for elements above `maxEventBytes`, by the digests that the log has of them.
    func eraseOversize(_ digests: Set<String>, in partition: PartitionID) async throws -> ErasedElements

    /// Whether there is anything of a key below an offset.
    func holds(_ key: String, _ partition: PartitionID, below offset: Int64) async throws -> Bool

    /// Takes what dead letters have of a key, and returns how many there were.
    func eraseLetters(of key: String, in partition: PartitionID) async throws -> Int64
}

/// What else is kept of a key's documents, such as snapshots.
public protocol KeyTrace: Sendable {
    /// Erases what there is of a key of a partition, and returns how much it was.
    func erase(_ key: String, of partition: PartitionID) async throws -> Int64
}

/// Erases a key's personal data: from the log, the dead letters and the documents of every build.
///
/// First from the log, which everything else is made from. Then build by build, in a transaction that raises the
/// generation: a batch that was decoded before, and still has the events in memory, cannot be committed any more, and
/// what follows is read from the log. Whatever is logged of the key after that has come after.
public struct KeyErasure: Sendable {
    private let log: any ErasableLog
    private let store: any RepairStore
    private let leases: any LeaseStore
    private let holder: String
    private let traces: [any KeyTrace]
    private let logger: Logger

    public struct Outcome: Hashable, Sendable {
        public var log = ErasedElements()
        public var letters: Int64 = 0
        public var documents: Int64 = 0
        /// Documents of builds that were looked at.
        public var builds: Int64 = 0
        public var traces: Int64 = 0

        public init() {}
    }

    /// How long servers, and projections that are always quicker, are borne with.
    private static let patience = Duration.seconds(60)
    /// How long a dead erasure may block the projection.
    private static let lease = Duration.seconds(10)

    /// - Parameters:
    ///   - log: through the same session as the store.
    ///   - traces: what is kept beside log, dead letters and documents.
    public init(log: any ErasableLog, store: any RepairStore, leases: any LeaseStore, holder: String, traces: [any KeyTrace] = [], logger: Logger) {
        self.log = log
        self.store = store
        self.leases = leases
        self.holder = holder
        self.traces = traces
        self.logger = logger
    }

    /// - Parameters:
    ///   - partition: the key's.
    ///   - others: of the stream, where somebody may have pushed the key's events by mistake.
    public func erase(_ key: String, of partition: PartitionID, beside others: [PartitionID] = []) async throws -> Outcome {
        var outcome = Outcome()
        for other in others {
            outcome.log += try await log.erase(key, in: other)
            outcome.letters += try await log.eraseLetters(of: key, in: other)
        }
        outcome.log += try await log.erase(key, in: partition)
        // Before the documents: a reconcile would put back what a snapshot says. Once the generations are raised, no repair
        // that has read of it is committed.
        for trace in traces { outcome.traces += try await trace.erase(key, of: partition) }
        var done: Set<BuildID> = []
        while let build = try await store.checkpoints(of: partition).map(\.build).first(where: { !done.contains($0) }) {
            try await erase(key, from: build, partition, &outcome)
            done.insert(build)
            outcome.builds += 1
        }
        outcome.letters += try await log.eraseLetters(of: key, in: partition)
        CrashPoint.lettersErased.reached()
        // What was made of events that came meanwhile, and were erased with the documents.
        for trace in traces { outcome.traces += try await trace.erase(key, of: partition) }
        return outcome
    }

    private func erase(_ key: String, from build: BuildID, _ partition: PartitionID, _ outcome: inout Outcome) async throws {
        var pause = Backoff(first: .milliseconds(5), most: .milliseconds(200))
        let deadline = ContinuousClock.now + Self.patience
        while true {
            do {
                if try await attempt(key, build, partition, &outcome) { return }
                await store.abandon()
                guard .now < deadline else {
                    throw Refusal(.noProgress, "somebody else writes \(build) in \(partition) all the time: try again when that is done")
                }
                // What was logged since is before the checkpoint by now.
                outcome.log += try await log.erase(key, in: partition)
            } catch {
                await store.abandon()
                guard let failure = error as? any StoreFailure, failure.isRetriable, .now < deadline else { throw error }
                logger.debug("an erasure begins again", metadata: ["build": "\(build)", "error": "\(error)"])
            }
            try await Task.sleep(for: pause.next())
        }
    }

    /// One transaction. False where it has to be tried again.
    private func attempt(_ key: String, _ build: BuildID, _ partition: PartitionID, _ outcome: inout Outcome) async throws -> Bool {
        guard let checkpoint = try await store.checkpoints(of: partition).first(where: { $0.build == build }) else { return true }
        // Rule 16, as for repairs: whoever is killed with its transaction open is found by its lease.
        let holder = LeaseHolder(id: holder, sessions: [try await store.sessionId()])
        guard case .acquired(let lease) = try await leases.acquire(partition.repairs, holder: holder, duration: Self.lease) else { return false }
        do {
            let isDone = try await write(key, checkpoint, &outcome)
            if !isDone { await store.abandon() }
            try? await leases.release(lease)
            return isDone
        } catch {
            await store.abandon()
            try? await leases.release(lease)
            throw error
        }
    }

    private func write(_ key: String, _ checkpoint: Checkpoint, _ outcome: inout Outcome) async throws -> Bool {
        let (build, partition) = (checkpoint.build, checkpoint.partition)
        // 17: the generation first.
        guard try await store.begin([checkpoint]) else { return false }
        guard let now = try await store.checkpoints(of: partition).first(where: { $0.build == build }) else { return false }
        guard try await !log.holds(key, partition, below: now.offset) else { return false }
        var repair = Repair(build: build, partition: partition)
        let letters = try await store.letters(of: build, partition, keys: [key], 0..<Int64.max)
        repair.removed = letters.map(\.id)
        let parked = Int64(letters.count { $0.decision != .dropped })
        repair.totals[build, default: ProjectionTotals()].parked -= parked
        repair.totals[build, default: ProjectionTotals()].ignored += parked
        repair.writes = try await store.documents(of: build, keys: [key]).map { .delete(key: $0.key) }
        guard try await store.commit(repair) == .committed else { return false }
        CrashPoint.documentErased.reached()
        outcome.letters += Int64(letters.count)
        outcome.documents += Int64(repair.writes.count)
        return true
    }
}
