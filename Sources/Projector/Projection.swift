import Events
import Logging
import Models
import Values

/// How large the batches of a projection are.
public struct BatchLimits: Hashable, Sendable {
    /// Elements of one batch. Measured: transactions of 10,000 documents cost mongod a third less for each than those of
    /// 2,000, and 100,000 took 2.5 s.
    public var events = 20_000
    /// Documents of one batch: MongoDB's cost and memory for one transaction.
    public var documents = 10_000
    /// Bytes of stored documents loaded for one batch.
    public var loaded = ByteCount.mebibytes(32)
    /// Bytes of documents kept between batches.
    public var cache = ByteCount.mebibytes(48)

    public init() {}
}

/// Takes the log's elements of one partition into effect in one build.
///
/// Each turn is one batch: load the documents it touches, fold, and write them, the dead letters and the checkpoint in
/// one transaction. What is in memory is only trusted because the transaction's first write compares the checkpoint.
public actor Projection {
    public nonisolated let build: BuildID
    let partition: PartitionID
    let fold: any Folding
    let store: any ProjectionStore
    let log: any EventLog
    let limits: BatchLimits
    private let meter: (any BatchMeter)?
    private let logger: Logger

    var checkpoint: Checkpoint?
    var cache: DocumentCache
    /// How many documents to load at once: as many as stay near the limit, by the sizes seen. It starts small and grows
    /// by steps, so that huge documents are noticed before many of them are asked for.
    var loadSize = 64
    private var completeness: [ListCompleteness: Int64] = [:]
    private var failures = BatchFailures()
    /// The log's end when the checkpoint was read. What is before it is read from the log and not taken as it was handed
    /// over: what another one erased there may still be in memory.
    private var logged: Int64 = 0
    /// What was decided about events from the checkpoint on, read with it.
    private var decisions: [Int64: Decision] = [:]
    /// The time by which nothing stored has expired any more, where that is known.
    var swept: Int64?
    /// Names of types that the model does not name and that are counted each by itself.
    private var unknownTypes: Set<ExactString> = []
    /// What has stopped the build, where its model says so, and when it was found.
    public private(set) var stopped: Standstill?
    /// A switch has frozen the checkpoint, or the build is there no more: there is nothing to do until the pointer documents
    /// say otherwise.
    public private(set) var isAside = false
    private var stoppedAt = ContinuousClock.now
    /// What was said of it.
    private var told: Standstill?

    /// How long an event that has stopped the build is left alone before it is tried again: what a person can change while
    /// the worker runs is what was decided about it, or about an event before it.
    private static let recheck = Duration.seconds(30)

    public init(
        build: BuildID, partition: PartitionID, fold: any Folding, store: any ProjectionStore, log: any EventLog, limits: BatchLimits = BatchLimits(),
        meter: (any BatchMeter)? = nil, logger: Logger
    ) {
        self.build = build
        self.partition = partition
        self.fold = fold
        self.store = store
        self.log = log
        self.limits = limits
        self.meter = meter
        self.logger = logger
        cache = DocumentCache(limit: limits.cache.bytes)
    }

    /// Forgets what is in memory: after a failure, and when the lease was gone for a while.
    public func forget() {
        checkpoint = nil
        cache.removeAll()
        completeness = [:]
        stopped = nil
        swept = nil
    }

    /// Reads where the build stands. Throws a `Refusal` when the log does not reach that far.
    func open() async throws { _ = try await currentCheckpoint() }

    /// Where the build stands; nil while it is frozen.
    func offset() async throws -> Int64? { try await currentCheckpoint()?.offset }

    /// Notes that the list is complete once the checkpoint reaches an offset.
    public func expect(_ list: String, _ expected: Completeness) {
        completeness = completeness.filter { $0.key.list != list }
        completeness[ListCompleteness(list: list, token: expected.token)] = expected.offset
    }

    /// Applies one batch: of the chunks handed over where they follow the checkpoint, else of what the log has there.
    /// Returns whether there is nothing more to do: the build has reached `tail`, is stopped, or is frozen.
    public func turn(_ handed: [DecodedChunk], tail: Int64?, watch: CrashWatch? = nil) async throws -> Bool {
        if stopped != nil {
            guard .now - stoppedAt > Self.recheck else { return true }
            forget()
        }
        do {
            guard let checkpoint = try await currentCheckpoint() else { return true }
            if let first = handed.first, let last = handed.last, first.chunk.offset <= checkpoint.offset, checkpoint.offset < last.chunk.end,
                checkpoint.offset >= logged
            {
                let count = try await permit(checkpoint, last.chunk.end, watch)
                let isApplied = try await apply(handed, checkpoint, events: count, watch)
                return stopped != nil || isApplied && self.checkpoint.map { $0.offset >= last.chunk.end } ?? false
            }
            if let tail = handed.last?.chunk.end ?? tail, checkpoint.offset >= tail {
                try await rest(checkpoint)
                return true
            }
            let chunks = try await log.chunks(of: partition, from: checkpoint.offset, events: limits.events)
            guard let last = chunks.last else {
                try await rest(checkpoint)
                return true
            }
            let count = try await permit(checkpoint, last.end, watch)
            let wanted = checkpoint.offset..<checkpoint.offset + Int64(count)
            let isApplied = try await apply(chunks.map { DecodedChunk(parsing: $0, wanted) }, checkpoint, events: count, watch)
            guard let handed = handed.last, isApplied else { return stopped != nil }
            return stopped != nil || self.checkpoint.map { $0.offset >= handed.chunk.end } ?? false
        } catch {
            forget()
            throw error
        }
    }

    /// How many elements from the checkpoint on, of those before `end`, the next batch may take at most.
    private func permit(_ checkpoint: Checkpoint, _ end: Int64, _ watch: CrashWatch?) async throws -> Int {
        let most = min(failures.limit(limits.events), Int(end - checkpoint.offset))
        switch try await watch?.step(of: .project(build), at: checkpoint.offset, most: most) ?? .take(most) {
        case .take(let count): return count
        case .park:
            decisions[checkpoint.offset] = .crashParked
            return 1
        }
    }

    /// Whether the checkpoint stands in the middle of these chunks.
    func isWithin(_ handed: [DecodedChunk]) async throws -> Bool {
        guard let first = handed.first, let last = handed.last, let offset = try await offset() else { return false }
        return first.chunk.offset <= offset && offset < last.chunk.end
    }

    /// nil where there is nothing to be done: a switch has frozen it, or the build is gone.
    private func currentCheckpoint() async throws -> Checkpoint? {
        if let checkpoint { return checkpoint }
        isAside = true
        // 13: the checkpoint first, documents after it.
        guard var stored = try await store.checkpoint(of: build, partition) else { return nil }
        CrashPoint.checkpointRead.reached()
        // 9: nothing but damage puts the log's end below a checkpoint. Read after it, in the same session.
        let end = try await store.logEnd(of: partition)
        guard end >= stored.offset else {
            throw Refusal(
                .logDamaged,
                "the checkpoint of \(build) in \(partition) stands at \(stored.offset), beyond the log's end \(end): restore the log from a backup"
            )
        }
        if let id = stored.frozen {
            // 18: read after the checkpoint, so that a switch which is not entered then is over.
            guard try await store.pointer(to: build.model)?.meaning(ofFreeze: id, on: build) ?? .left == .left, try await store.thaw(stored) else { return nil }
            CrashPoint.thawed.reached()
            stored.frozen = nil
        }
        logged = end
        decisions = try await store.decisions(on: build, partition, from: stored.offset, keys: nil)
        unknownTypes = Set(try await store.unknownTypes(of: build, partition).compactMap(\.type))
        checkpoint = stored
        isAside = false
        return stored
    }

    /// Applies the batch at the checkpoint. False when the checkpoint turned out to be another.
    private func apply(_ chunks: [DecodedChunk], _ from: Checkpoint, events: Int, _ watch: CrashWatch?) async throws -> Bool {
        var batch = FoldBatch(
            chunks, from: from.offset, fold: fold, limits: .init(events: events, documents: limits.documents), decisions: decisions
        )
        let began = ContinuousClock.now
        try await load(&batch, from)
        CrashPoint.documentsRead.reached()
        let loaded = ContinuousClock.now
        var commit = plan(&batch, from)
        let planned = ContinuousClock.now
        CrashPoint.folded.reached()
        if commit.to == from {
            // Stopped where it is known to be.
            stand(still: commit.to.stopped)
            return true
        }
        var reply: CommitReply
        do {
            reply = try await store.commit(commit)
            if reply == .mismatch {
                try await verify(&batch, from)
                commit = plan(&batch, from)
                reply = try await store.commit(commit)
            }
        } catch {
            failures.count(at: from.offset, events: batch.elements.count)
            throw error
        }
        guard reply == .committed else {
            forget()
            return false
        }
        CrashPoint.committed.reached()
        meter?.record(
            AppliedBatch(
                model: build.model, events: batch.elements.count, load: loaded - began, fold: planned - loaded, write: .now - planned, lastTime: batch.eventTime
            ))
        failures.succeeded()
        checkpoint = commit.to
        unknownTypes.formUnion(commit.unknownTypes.compactMap(\.type))
        remember(batch)
        stand(still: commit.to.stopped)
        try await sweep(commit.to, atLeast: Self.sweepStep)
        if commit.to.offset > from.offset { try await watch?.passed(.project(build), to: commit.to.offset) }
        return true
    }

    private func stand(still standstill: Standstill?) {
        (stopped, stoppedAt) = (standstill, .now)
        guard let standstill, standstill != told else { return }
        told = standstill
        logger.error("the model is stopped until somebody acts", metadata: ["build": "\(build)", "partition": "\(partition)", "error": "\(standstill)"])
    }

    // MARK: Planning

    private func plan(_ batch: inout FoldBatch, _ from: Checkpoint) -> Commit {
        let outcome = batch.fold(fold, build: build, totals: from.totals)
        var to = from
        to.offset = batch.end
        to.time = batch.time ?? from.time
        to.totals = outcome.totals
        to.stopped = outcome.stopped
        var writes: [DocumentWrite] = []
        writes.reserveCapacity(batch.slots.count)
        // By index: a copy of a slot would count all its references up and down.
        for slot in batch.slots.indices {
            let write =
                batch.slots[slot].isSuspect
                ? repair(batch.slots[slot], at: from.time, &to.totals)
                : DocumentWrite.change(from: batch.slots[slot].before, to: batch.slots[slot].after, bson: batch.slots[slot].bson)
            switch write {
            case nil: to.totals.unchanged += 1
            case .insert?: to.totals.inserted += 1
            case .delete?: to.totals.deleted += 1
            case .update?, .replace?, .put?: to.totals.updated += 1
            }
            if let write { writes.append(write) }
        }
        to.complete = merged(from.complete, reaching: to.offset)
        return Commit(from: from, to: to, writes: writes, deadLetters: outcome.deadLetters, unknownTypes: outcome.unknownTypes.added(to: unknownTypes))
    }

    /// The write for a document that somebody else touched. It is drift where it is not what the log made it; what had
    /// expired by the batch before counts as absent, whether it was removed or not.
    private func repair(_ slot: FoldBatch.Slot, at time: Int64, _ totals: inout ProjectionTotals) -> DocumentWrite? {
        let (found, wanted) = (slot.before?.unlessExpired(at: time), slot.origin?.unlessExpired(at: time))
        if found != wanted || (slot.isStored && slot.before == nil) {
            totals.drift += 1
            logger.warning("a document is not what the log makes it, and is written anew", metadata: ["build": "\(build)", "key": "\(slot.key.text)"])
        }
        guard !slot.bson.isEmpty else { return slot.isStored ? .delete(key: slot.key.text) : nil }
        return .put(key: slot.key.text, bson: slot.bson)
    }

    private func remember(_ batch: FoldBatch) {
        for slot in batch.slots.indices { cache[batch.slots[slot].key] = batch.slots[slot].bson.isEmpty ? nil : batch.slots[slot].bson }
    }

    // MARK: Completeness

    /// Rule 12: what is complete at an offset; within one run of Redis it never goes down.
    private func merged(_ stored: [ListCompleteness], reaching offset: Int64) -> [ListCompleteness] {
        var merged = stored
        for (entry, needed) in completeness where needed <= offset {
            if let index = merged.firstIndex(where: { $0.list == entry.list }) {
                if merged[index].token.run == entry.token.run, merged[index].token.cuts >= entry.token.cuts { continue }
                merged[index] = entry
            } else {
                merged.append(entry)
            }
        }
        return merged
    }

    /// Does what is left to do where there is no batch.
    private func rest(_ current: Checkpoint) async throws {
        try await noteCompleteness(current)
        if let checkpoint { try await sweep(checkpoint) }
    }

    private func noteCompleteness(_ current: Checkpoint) async throws {
        let complete = merged(current.complete, reaching: current.offset)
        guard complete != current.complete else { return }
        guard try await store.note(complete, in: current) == .committed else { return forget() }
        CrashPoint.completenessNoted.reached()
        checkpoint?.complete = complete
    }
}
