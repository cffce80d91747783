import Events
import Logging
import Models
import Values

/// How large the batches of a projection are.
public struct BatchLimits: Hashable, Sendable {
    /// Elements that are taken at once. Measured: transactions of 10,000 documents cost mongod a third less for each than
    /// those of 2,000, and 100,000 took 2.5 s.
    public var events = 20_000
    /// Documents of one batch: MongoDB's cost and memory for one transaction.
    public var documents = 10_000
    /// Bytes of stored documents loaded for one batch.
    public var loaded = ByteCount.mebibytes(32)
    /// Bytes of documents kept between batches.
    public var cache = ByteCount.mebibytes(48)
    /// Elements of one batch, which goes on until it has so many or touches too many documents; the log is read ahead of it.
    /// 0: what is taken at once is a batch, which is seen soonest.
    public var gathered = 0
    /// How much of its work a projection that gathers may lose when it is killed.
    public var gathering = Duration.seconds(5)

    public init() {}
}

/// Takes the log's elements of one partition into effect in one build.
///
/// A batch is what one turn takes, or what several take where they are gathered: load the documents it touches, fold, and
/// write them, the dead letters and the checkpoint in one transaction. What is in memory is only trusted because the transaction's first write compares the checkpoint.
public actor Projection {
    public nonisolated let build: BuildID
    let partition: PartitionID
    let fold: any Folding
    let store: any ProjectionStore
    let log: any EventLog
    let limits: BatchLimits
    private let meter: (any BatchMeter)?
    let logger: Logger

    var checkpoint: Checkpoint?
    var cache: DocumentCache
    /// A batch that is folded and not committed yet; `checkpoint` is behind it.
    private var underWay: BatchUnderWay?
    /// A document has grown beyond the limit in a batch that had gone on: what is taken at once is a batch from here on,
    /// which can be folded again to see which event goes too far.
    private var isApart = false
    /// What was read of the log and not taken yet: consecutive chunks.
    private var ahead: [Chunk] = []
    /// How many documents to load at once: as many as stay near the limit, by the sizes seen. It starts small and grows
    /// by steps, so that huge documents are noticed before many of them are asked for.
    var loadSize = 64
    var completeness: [ListCompleteness: Int64] = [:]
    private var failures = BatchFailures()
    /// The log's end when the checkpoint was read. What is before it is read from the log and not taken as it was handed
    /// over: what another one erased there may still be in memory.
    private var logged: Int64 = 0
    /// What was decided about events from the checkpoint on, read with it.
    private var decisions: [Int64: Decision] = [:]
    /// The time by which nothing stored has expired any more, where that is known.
    var swept: Int64?
    /// Names of types that the model does not name and that are counted each by itself.
    private(set) var unknownTypes: Set<ExactString> = []
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
        underWay = nil
        ahead = []
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

    /// Takes the next elements: of the chunks handed over where they follow the checkpoint, else of what the log has there.
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
                let isApplied = try await apply(handed.map { .parsed($0) }, checkpoint, events: count, watch)
                return stopped != nil || isApplied && self.checkpoint.map { $0.offset >= last.chunk.end } ?? false
            }
            if let tail = handed.last?.chunk.end ?? tail, checkpoint.offset >= tail { return try await rest() }
            let chunks = try await chunks(from: checkpoint.offset)
            guard let last = chunks.last else { return try await rest() }
            let count = try await permit(checkpoint, last.end, watch)
            let batch = chunks.map { FoldBatch.Source.logged($0) }
            let isApplied: Bool
            var more: [Chunk] = []
            if limits.gathered > 0, last.end - checkpoint.offset - Int64(count) < limits.events {
                async let next = log.chunks(of: partition, from: last.end, events: limits.events)
                isApplied = try await apply(batch, checkpoint, events: count, watch)
                more = try await next
            } else {
                isApplied = try await apply(batch, checkpoint, events: count, watch)
            }
            if self.checkpoint != nil { ahead = chunks + more }
            guard let handed = handed.last, isApplied else { return stopped != nil }
            return stopped != nil || self.checkpoint.map { $0.offset >= handed.chunk.end } ?? false
        } catch {
            forget()
            throw error
        }
    }

    /// The log from an offset on: what was read of it before, or the next page.
    private func chunks(from offset: Int64) async throws -> [Chunk] {
        ahead.removeAll { $0.end <= offset }
        if let first = ahead.first, first.offset <= offset { return ahead }
        return try await log.chunks(of: partition, from: offset, events: limits.events)
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

    /// A batch, and what is needed to commit it.
    private struct BatchUnderWay {
        var batch: FoldBatch
        var outcome: FoldBatch.Outcome
        /// The checkpoint that it begins at.
        let from: Checkpoint
        let began = ContinuousClock.now
        var loading = Duration.zero
        var folding = Duration.zero

        var events: Int { Int(batch.end - from.offset) }
    }

    /// Takes elements behind the checkpoint into effect, at once or with what follows. False when the checkpoint turned out to
    /// be another.
    private func apply(_ chunks: [FoldBatch.Source], _ from: Checkpoint, events: Int, _ watch: CrashWatch?) async throws -> Bool {
        try await take(chunks, from, .init(events: events, documents: limits.documents))
        guard underWay?.batch.hasOutgrown == false else {
            forget()
            isApart = true
            return false
        }
        return isFull(watch) ? try await settle(watch) : true
    }

    /// Folds elements into the batch under way, or into a new one.
    private func take(_ chunks: [FoldBatch.Source], _ from: Checkpoint, _ limits: FoldBatch.Limits) async throws {
        let began = ContinuousClock.now
        var current: BatchUnderWay
        if let underWay {
            current = underWay
            self.underWay = nil
            current.batch.goOn(chunks, fold, limits)
        } else {
            let batch = FoldBatch(chunks, from: from.offset, fold: fold, limits: limits, decisions: decisions)
            current = BatchUnderWay(batch: batch, outcome: .init(totals: from.totals), from: from)
        }
        try await load(&current.batch, current.from)
        CrashPoint.documentsRead.reached()
        let loaded = ContinuousClock.now
        current.outcome = current.batch.fold(fold, build: build, after: current.outcome)
        current.loading += loaded - began
        current.folding += .now - loaded
        checkpoint?.offset = current.batch.end
        underWay = current
    }

    /// Whether the batch under way is to be committed before it goes on: where whoever watches wants to know what everything
    /// that was taken comes to, where it is large, letters too, where the build is stopped, and where a document is written
    /// whatever somebody else has made of it meanwhile.
    private func isFull(_ watch: CrashWatch?) -> Bool {
        guard let current = underWay else { return false }
        let batch = current.batch
        return watch != nil || isApart || current.events >= failures.limit(limits.gathered) || batch.slots.count >= limits.documents
            || batch.bytes >= limits.loaded.bytes || !current.outcome.deadLetters.isEmpty || current.outcome.stopped != nil
            || batch.new.contains { batch.slots[$0].isSuspect } || .now - current.began > limits.gathering
    }

    /// Commits the batch under way. False when the checkpoint, or a document of a batch that had gone on, turned out to be
    /// another: all of it is folded again then, from what is stored.
    func settle(_ watch: CrashWatch? = nil) async throws -> Bool {
        guard var current = underWay else { return true }
        // What is encoded must have one owner, or its documents are copied first.
        underWay = nil
        let from = current.from
        let began = ContinuousClock.now
        var commit = plan(&current.batch, current.outcome, from)
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
            if reply == .mismatch, current.batch.isWhole {
                try await verify(&current.batch, from)
                current.outcome = current.batch.fold(fold, build: build, after: .init(totals: from.totals))
                commit = plan(&current.batch, current.outcome, from)
                reply = try await store.commit(commit)
            }
        } catch {
            failures.count(at: from.offset, events: current.events)
            throw error
        }
        guard reply == .committed else {
            forget()
            return false
        }
        CrashPoint.committed.reached()
        meter?.record(
            AppliedBatch(
                model: build.model, events: current.events, load: current.loading, fold: current.folding + (planned - began), write: .now - planned,
                lastTime: current.batch.eventTime))
        failures.succeeded()
        checkpoint = commit.to
        unknownTypes.formUnion(commit.unknownTypes.compactMap(\.type))
        remember(current.batch)
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
}
