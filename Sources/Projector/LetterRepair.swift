import Events
import Logging
import Models

/// Does something about dead letters of one partition, and makes the documents of the live build, and of those that are kept
/// current, what the log and the decisions then say: what is decided about an event holds for every build of its model.
///
/// Rule 17: what the log has up to the checkpoint is folded beforehand; then, in one transaction, the generation is raised,
/// the rest up to the offset found there is folded, and everything is written. So it goes on beside the projection,
/// whatever that does, and what is repeated changes nothing.
public struct LetterRepair: Sendable {
    private let build: BuildID
    private let partition: PartitionID
    private let fold: any Folding
    private let kept: [Kept]
    private let store: any RepairStore
    private let log: any EventLog
    private let leases: any LeaseStore
    private let holder: String
    private let logger: Logger

    /// A build that is kept current, so that readers can be sent back to it.
    public struct Kept: Sendable {
        public var build: BuildID
        public var fold: any Folding

        public init(_ build: BuildID, fold: any Folding) {
            self.build = build
            self.fold = fold
        }
    }

    /// Letters of one transaction.
    public static let mostLetters = 10_000
    /// How long servers, and projections that are always quicker, are borne with.
    private static let patience = Duration.seconds(60)
    /// How long a dead repair may block the projection.
    private static let lease = Duration.seconds(10)

    /// - Parameters:
    ///   - fold: of the live build's definition.
    ///   - kept: every build of the model that is kept current.
    ///   - log: through the same session as the store.
    ///   - holder: random for each process.
    public init(
        build: BuildID, partition: PartitionID, fold: any Folding, kept: [Kept], store: any RepairStore, log: any EventLog, leases: any LeaseStore,
        holder: String, logger: Logger
    ) {
        self.build = build
        self.partition = partition
        self.fold = fold
        self.kept = kept
        self.store = store
        self.log = log
        self.leases = leases
        self.holder = holder
        self.logger = logger
    }

    /// - Parameter dryRun: finds out what would become of the letters, and changes nothing.
    public func apply(_ action: LetterAction, to ids: [DeadLetterID], dryRun: Bool = false) async throws -> LetterOutcome {
        var pause = Backoff(first: .milliseconds(5), most: .milliseconds(200))
        let deadline = ContinuousClock.now + Self.patience
        while true {
            do {
                if let outcome = try await attempt(action, ids, dryRun) { return outcome }
                await store.abandon()
                guard .now < deadline else {
                    throw Refusal(.noProgress, "somebody else repairs \(build) in \(partition) all the time: try again when that is done")
                }
            } catch is KeyRefold.TooLarge {
                await store.abandon()
                var outcome = try await apply(action, to: Array(ids.prefix(ids.count / 2)), dryRun: dryRun)
                outcome += try await apply(action, to: Array(ids.dropFirst(ids.count / 2)), dryRun: dryRun)
                return outcome
            } catch {
                await store.abandon()
                // Such as a conflict with the projection, whose transaction was first.
                guard let failure = error as? any StoreFailure, failure.isRetriable, .now < deadline else { throw error }
                logger.debug("a repair begins again", metadata: ["build": "\(build)", "error": "\(error)"])
            }
            try await Task.sleep(for: pause.next())
        }
    }

    /// One attempt; nil where somebody else repaired something meanwhile, and what was read may be old.
    private func attempt(_ action: LetterAction, _ ids: [DeadLetterID], _ dryRun: Bool) async throws -> LetterOutcome? {
        // Read anew each time: what an attempt before has done, though nobody heard of it, is not done again.
        let letters = try await store.letters(ids).filter(action.concerns)
        let (events, elements) = (letters.filter { $0.build != nil }, letters.filter { $0.build == nil })
        let checkpoints = try await store.checkpoints(of: partition).filter { $0.build.model == build.model || !elements.isEmpty }
        if let frozen = checkpoints.first(where: { $0.frozen != nil }) {
            throw Refusal(.noProgress, "\(frozen.build) is being switched: try again when that is done")
        }
        guard checkpoints.contains(where: { $0.build == build }) else {
            throw Refusal(.noProgress, "\(build) has taken nothing of \(partition) yet: start a worker")
        }
        let known = KeyHistory.isIndexed(Set(events.compactMap(\.key)).count) ? events.compactMap(\.key) : nil
        let decisions = events.isEmpty ? [:] : try await store.decisions(on: build, partition, from: 0, keys: known)
        // The live build's first: it is what readers see, and what is told.
        let folds = [Kept(build, fold: fold)] + kept
        let others = events.filter { event in !folds.contains { $0.build == event.build } }
        var refolds: [KeyRefold] = []
        for one in folds {
            guard let checkpoint = checkpoints.first(where: { $0.build == one.build }) else { continue }
            var refold = KeyRefold(
                action, events, others: one.build == build ? others : [], build: one.build, partition: partition, fold: one.fold, decisions: decisions,
                store: store, log: log)
            if !events.isEmpty {
                try await refold.begin()
                try await refold.read(below: checkpoint.offset)
            }
            refolds.append(refold)
        }
        let refold = refolds[0]
        var decided = elements.map { letter in
            var letter = letter
            letter.decision = action.decision(on: letter)
            return letter
        }
        decided.removeAll(where: elements.contains)

        func outcome(documents: Int) -> LetterOutcome {
            var outcome = LetterOutcome()
            outcome.letters = letters.count
            outcome.parked = refold.parked.count + (action == .drop ? 0 : elements.count)
            outcome.settled = letters.count - outcome.parked
            outcome.unchanged = refold.unchanged
            outcome.undecodable = action == .drop ? 0 : elements.count
            outcome.documents = documents
            return outcome
        }
        if dryRun || (refolds.allSatisfy(\.isIdle) && decided.isEmpty) { return outcome(documents: 0) }

        // Rule 16, for repairs: whoever is killed with its transaction open is found by its lease, and the transaction ended.
        let holder = LeaseHolder(id: holder, sessions: [try await store.sessionId()])
        guard case .acquired(let lease) = try await leases.acquire(partition.repairs, holder: holder, duration: Self.lease) else { return nil }
        let repair: Repair?
        do {
            repair = try await write(action, refolds: &refolds, decided, checkpoints)
        } catch {
            await store.abandon()
            try? await leases.release(lease)
            throw error
        }
        if repair == nil { await store.abandon() }
        try? await leases.release(lease)
        return repair.map { outcome(documents: $0.writes.count) }
    }

    /// The transaction. Returns what was written; nil when the checkpoints are not what they were.
    private func write(
        _ action: LetterAction, refolds: inout [KeyRefold], _ decided: [DeadLetter], _ checkpoints: [Checkpoint]
    ) async throws -> Repair? {
        guard try await store.begin(checkpoints) else { return nil }
        let found = try await store.checkpoints(of: partition)
        var repair = Repair(build: build, partition: partition)
        for place in refolds.indices {
            let one = refolds[place].build
            guard let before = checkpoints.first(where: { $0.build == one }), let now = found.first(where: { $0.build == one }), now.offset >= before.offset
            else { return nil }
            guard !refolds[place].keys.isEmpty else { continue }
            refolds[place].add(try await store.decisions(on: one, partition, from: before.offset, keys: refolds[place].indexedKeys))
            try await refolds[place].read(below: now.offset)
            let (writes, drift) = try refolds[place].writes(try await store.documents(of: one, keys: refolds[place].keys), at: now.time)
            if one == build { repair.writes = writes } else { repair.keptWrites[one] = writes }
            repair.totals[one] = refolds[place].totals
            repair.totals[one]?.drift = drift
            repair.letters += refolds[place].changed
            repair.removed += refolds[place].removed
        }
        repair.letters += decided
        for checkpoint in found where !decided.isEmpty {
            // An element that is no event is parked, or ignored, in every model of its stream; what was before a load is ignored.
            let start = try await store.load(of: checkpoint.build, in: partition) ?? 0
            let count = Int64(decided.count { start..<max(start, checkpoint.offset) ~= $0.offset }) * (action == .drop ? 1 : -1)
            guard count != 0 else { continue }
            repair.totals[checkpoint.build, default: ProjectionTotals()].parked -= count
            repair.totals[checkpoint.build, default: ProjectionTotals()].ignored += count
        }
        guard try await store.commit(repair) == .committed else { return nil }
        CrashPoint.committed.reached()
        return repair
    }
}
