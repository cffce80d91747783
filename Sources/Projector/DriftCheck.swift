import Events
import Logging
import Models
import Values

/// Compares some documents of one partition with the fold of their events, at one moment, and puts them right if it is
/// asked to.
///
/// What the log has up to the checkpoint is folded beforehand; then, in one transaction, the rest up to the offset found
/// there is folded, and the documents are read. A repair raises the generation first (rule 17).
struct DriftCheck: Sendable {
    let definition: FoldDefinition
    let partition: PartitionID
    let base: Snapshot?
    let store: any RepairStore
    let snapshots: any SnapshotStore
    let log: any EventLog
    let leases: any LeaseStore
    let holder: String
    let logger: Logger

    /// Documents of one transaction.
    static let mostKeys = 2000
    /// Bytes of documents that are folded at once.
    private static let mostBytes = ByteCount.mebibytes(32).bytes
    /// How long servers, and projections that are always quicker, are borne with.
    private static let patience = Duration.seconds(60)
    /// How long a dead repair may block the projection.
    private static let lease = Duration.seconds(10)

    /// What is wrong with these documents, in the order of their keys.
    func check(_ keys: [ExactString], isRepair: Bool) async throws -> [Drift] {
        guard !keys.isEmpty else { return [] }
        var pause = Backoff(first: .milliseconds(5), most: .milliseconds(200))
        let deadline = ContinuousClock.now + Self.patience
        while true {
            do {
                switch try await attempt(keys, isRepair) {
                case .done(let drift): return drift
                case .tooLarge:
                    let half = keys.count / 2
                    return try await check(Array(keys[..<half]), isRepair: isRepair) + check(Array(keys[half...]), isRepair: isRepair)
                case .again: break
                }
                await store.abandon()
                guard .now < deadline else {
                    throw Refusal(.noProgress, "somebody repairs or switches \(definition.build) in \(partition) all the time: try again when that is done")
                }
            } catch {
                await store.abandon()
                // Such as a conflict with the projection, whose transaction was first.
                guard let failure = error as? any StoreFailure, failure.isRetriable, .now < deadline else { throw error }
                logger.debug("a comparison begins again", metadata: ["build": "\(definition.build)", "error": "\(error)"])
            }
            try await Task.sleep(for: pause.next())
        }
    }

    private enum Outcome {
        case done([Drift])
        /// Too much for one transaction.
        case tooLarge
        /// What was read may be old.
        case again
    }

    private func attempt(_ keys: [ExactString], _ isRepair: Bool) async throws -> Outcome {
        let build = definition.build
        let from = try await store.standing(of: build, partition)
        // A switch takes less than a second.
        if from.frozen != nil { return .again }
        let decisions = try await snapshots.decisions(on: build.model, partition)
        if let base, !definition.isTold(by: base, decisions) { throw SnapshotDamaged(base.id, "somebody has decided otherwise about an event before it") }
        var history = KeyHistory(of: keys.map(\.text), build: build, fold: definition.fold, decisions: decisions)
        history.begin(with: try await SnapshotRows.rows(of: keys, in: base, snapshots), at: base?.id.offset ?? 0)
        let most = keys.count > 1 ? Self.mostBytes : .max
        guard try await history.read(log, partition, below: from.offset, mostBytes: most) else { return .tooLarge }

        guard isRepair else { return try await compare(&history, keys, from, isRepair: false) }
        // Rule 16, for repairs: whoever is killed with its transaction open is found by its lease, and the transaction ended.
        let holder = LeaseHolder(id: holder, sessions: [try await store.sessionId()])
        guard case .acquired(let lease) = try await leases.acquire(partition.repairs, holder: holder, duration: Self.lease) else { return .again }
        let outcome: Outcome
        do {
            outcome = try await compare(&history, keys, from, isRepair: true)
        } catch {
            await store.abandon()
            try? await leases.release(lease)
            throw error
        }
        if case .again = outcome { await store.abandon() }
        try? await leases.release(lease)
        return outcome
    }

    /// The transaction.
    private func compare(_ history: inout KeyHistory, _ keys: [ExactString], _ from: Checkpoint, isRepair: Bool) async throws -> Outcome {
        guard try await store.begin(isRepair ? [from] : []) else { return .again }
        let found = try await store.checkpoints(of: partition).first { $0.build == definition.build }
        // A repair meanwhile may have come of other decisions than those that were read.
        guard let now = found, now.offset >= from.offset, now.generation == from.generation + (isRepair ? 1 : 0) else { return .again }
        history.add(try await store.decisions(on: definition.build, partition, from: from.offset, keys: history.isIndexed ? keys.map(\.text) : nil))
        try await history.read(log, partition, below: now.offset)
        let stored = Dictionary(
            try await store.documents(of: definition.build, keys: keys.map(\.text)).map { (ExactString($0.key), $0.bson) }, uniquingKeysWith: { $1 })
        var drift: [Drift] = []
        var repair = Repair(build: definition.build, partition: partition)
        for key in keys {
            let wanted = history.document(of: key.text)?.unlessExpired(at: now.time)
            guard let one = try Drift.of(key, partition, found: stored[key], wanted: wanted, at: now.time) else { continue }
            drift.append(one)
            repair.writes.append(wanted.map { .put(key: key.text, bson: $0.bson) } ?? .delete(key: key.text))
        }
        guard isRepair, !drift.isEmpty else {
            await store.abandon()
            return .done(drift)
        }
        repair.totals[definition.build, default: ProjectionTotals()].drift = Int64(drift.count)
        guard try await store.commit(repair) == .committed else { return .again }
        CrashPoint.committed.reached()
        return .done(drift)
    }

    /// Removes documents that no event can have made: their ids are no strings. Returns how many.
    func remove(_ foreign: [Value]) async throws -> Int {
        var pause = Backoff(first: .milliseconds(5), most: .milliseconds(200))
        let deadline = ContinuousClock.now + Self.patience
        while true {
            do {
                let from = try await store.standing(of: definition.build, partition)
                var repair = Repair(build: definition.build, partition: partition)
                repair.foreign = foreign
                repair.totals[definition.build, default: ProjectionTotals()].drift = Int64(foreign.count)
                if try await store.begin([from]), try await store.commit(repair) == .committed { return foreign.count }
                await store.abandon()
                guard .now < deadline else { throw Refusal(.noProgress, "documents of \(definition.build) come and go all the time: try again") }
            } catch let failure as any StoreFailure where failure.isRetriable && .now < deadline {
                await store.abandon()
            }
            try await Task.sleep(for: pause.next())
        }
    }
}

extension RepairStore {
    /// The checkpoint of a build that is there.
    func standing(of build: BuildID, _ partition: PartitionID) async throws -> Checkpoint {
        guard let checkpoint = try await checkpoint(of: build, partition) else {
            throw Refusal(.noProgress, "\(build) is there no more: try again, with the build that is live now")
        }
        return checkpoint
    }
}
