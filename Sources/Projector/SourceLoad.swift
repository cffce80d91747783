import Events
import Logging
import Models
import Values

/// Fills a new build with the rows of a source of truth, each folded as the event that it is, and keeps what they make as a
/// snapshot: the build's history begins there, and goes on with the log.
///
/// The build's collection is what sorts the rows, so that nothing grows in memory with them. Nobody reads it meanwhile. A load
/// that was killed cannot be gone on with: it has no order to find its place by.
public struct SourceLoad: Sendable {
    /// What is loaded, and how its rows are read.
    public struct Rows: Sendable {
        public var truth: SourceOfTruth
        public var source: any TruthSource
        public var stream: StreamSettings

        public init(_ truth: SourceOfTruth, _ source: any TruthSource, _ stream: StreamSettings) {
            self.truth = truth
            self.source = source
            self.stream = stream
        }
    }

    private let build: StoredBuild
    private let fold: any Folding
    private let rows: Rows
    private let partitions: [PartitionID]
    private let store: any RebuildStore
    private let snapshots: any SnapshotStore
    private let logger: Logger
    private let report: @Sendable (Int64) -> Void

    /// Rows that are folded at once, and their bytes.
    private static let batch = 5000
    private static let batchBytes = ByteCount.mebibytes(16)
    /// Documents that are read at once for the snapshot.
    private static let page = 2000
    /// Times that a batch is folded again because documents are not what they were.
    private static let attempts = 5

    /// - Parameters:
    ///   - partitions: of the build's stream, each with its load.
    ///   - report: hears how many rows are loaded.
    init(
        _ build: StoredBuild, _ fold: any Folding, _ rows: Rows, _ partitions: [PartitionID], _ store: any RebuildStore, _ snapshots: any SnapshotStore,
        logger: Logger, report: @escaping @Sendable (Int64) -> Void
    ) {
        self.build = build
        self.fold = fold
        self.rows = rows
        self.partitions = partitions
        self.store = store
        self.snapshots = snapshots
        self.logger = logger
        self.report = report
    }

    /// Whether a build has all that it is loaded with.
    static func isComplete(_ build: StoredBuild, _ partitions: [PartitionID], _ snapshots: any SnapshotStore) async throws -> Bool {
        for partition in partitions where build.load(in: partition) != nil {
            let heads = try await snapshots.snapshots(of: partition)
            guard heads.contains(where: { $0.id.build == build.id && $0.purpose == .load && $0.isComplete }) else { return false }
        }
        return true
    }

    /// Returns how many rows there were.
    ///
    /// - Parameter tails: of the log when the build was added.
    func run(_ tails: [PartitionID: LogTail]) async throws -> Int64 {
        let checkpoints = try await Fault.borne("begin a load", logger) { try await begin(tails) }
        CrashPoint.loadBegun.reached()
        let count = try await load(checkpoints, at: Fault.borne("read the clock", logger) { try await store.clock() })
        try await keepAnyhow(tails)
        CrashPoint.loadKept.reached()
        return count
    }

    /// Moves the checkpoints to where the history begins. What the log has before is ignored.
    private func begin(_ tails: [PartitionID: LogTail]) async throws -> [PartitionID: Checkpoint] {
        var checkpoints: [PartitionID: Checkpoint] = [:]
        for partition in partitions {
            guard let tail = tails[partition], let before = try await store.checkpoint(of: build.id, partition) else { throw gone }
            var checkpoint = before
            if before.offset < tail.offset {
                checkpoint.offset = tail.offset
                checkpoint.time = tail.at
                checkpoint.totals.logged = tail.totals.logged
                checkpoint.totals.duplicates = tail.totals.duplicates
                checkpoint.totals.ignored = tail.totals.logged
                guard try await store.commit(Commit(from: before, to: checkpoint, writes: [], deadLetters: [])) == .committed else { throw gone }
            }
            checkpoints[partition] = checkpoint
        }
        return checkpoints
    }

    private var gone: Refusal { Refusal(.noProgress, "\(build.id) was removed, or is written, by somebody else: see millrace status") }

    // MARK: Rows

    private func load(_ checkpoints: [PartitionID: Checkpoint], at time: Int64) async throws -> Int64 {
        var refusals = RowRefusals()
        var number: Int64 = 0
        var waiting: [SourceEvent] = []
        var bytes = 0
        try await rows.source.read(nil) { page in
            for event in try SourceEvent.events(of: page, from: number, rows.truth.mapping, rows.stream, &refusals) {
                waiting.append(event)
                bytes += event.size
                guard waiting.count >= Self.batch || bytes >= Self.batchBytes.bytes else { continue }
                try await write(waiting, checkpoints, at: time, &refusals)
                (waiting, bytes) = ([], 0)
            }
            number += Int64(page.count)
            report(number)
        }
        try await write(waiting, checkpoints, at: time, &refusals)
        report(number)
        guard number > 0 else {
            throw Refusal(.badInput, "the source of truth of \(build.id.model) has no rows: is it the right one? nothing was changed")
        }
        if let first = refusals.first.first {
            throw Refusal(.badInput, "\(refusals.count) of \(number) rows of the source of truth cannot be taken, and nothing was changed: \(first)")
        }
        return number
    }

    private func write(
        _ events: [SourceEvent], _ checkpoints: [PartitionID: Checkpoint], at time: Int64, _ refusals: inout RowRefusals
    ) async throws {
        let byPartition = Dictionary(grouping: events) { Partitioning.partition(of: $0.key.utf8, count: rows.stream.partitions) }
        for (number, own) in byPartition.sorted(by: { $0.key < $1.key }) {
            guard let begun = checkpoints[PartitionID(stream: build.stream, number: number)] else { throw gone }
            try Task.checkCancellation()
            // What the effects do can be done twice: a batch that was written though nobody heard of it is written again.
            let refused = try await Fault.borne("load rows", logger) {
                var checkpoint = begun
                for _ in 0..<Self.attempts {
                    var noted = refusals
                    let writes = try await self.writes(own, checkpoint, at: time, &noted)
                    if writes.isEmpty { return noted }
                    if try await store.commit(Commit(from: checkpoint, to: checkpoint, writes: writes, deadLetters: [])) == .committed { return noted }
                    // Somebody may have erased a key meanwhile.
                    guard let now = try await store.checkpoint(of: build.id, begun.partition), now.offset == begun.offset, now.frozen == nil else { throw gone }
                    checkpoint = now
                }
                throw gone
            }
            refusals = refused
            CrashPoint.rowsLoaded.reached()
        }
    }

    private func writes(
        _ events: [SourceEvent], _ checkpoint: Checkpoint, at time: Int64, _ refusals: inout RowRefusals
    ) async throws -> [DocumentWrite] {
        var keys: Set<ExactString> = []
        let order = events.map { ExactString($0.key) }.filter { keys.insert($0).inserted }
        let stored = try await store.documents(of: build.id, keys: order.map(\.text))
        let before = Dictionary(try stored.map { (ExactString($0.key), StoredDocument(try Document(bson: $0.bson))) }, uniquingKeysWith: { $1 })
        var after = before
        for event in events {
            do throws(Refusal) {
                after[ExactString(event.key)] = try document(event, onto: after[ExactString(event.key)] ?? nil, checkpoint, at: time)
            } catch {
                refusals.note(error, "the row of \(event.key)")
            }
        }
        return order.compactMap { DocumentWrite.change(from: before[$0] ?? nil, to: after[$0] ?? nil) }
    }

    /// What a row makes of a document: as if its event were the last one before the history.
    private func document(_ event: SourceEvent, onto before: StoredDocument?, _ checkpoint: Checkpoint, at time: Int64) throws(Refusal) -> StoredDocument? {
        guard let fields = try event.fold(fold, onto: before?.fields, rows.stream) else { return nil }
        if let before, before.fields == fields { return before }
        let size = BSON.size(of: fields)
        guard size <= Model.maximumDocumentSize.bytes else {
            throw Refusal(.documentTooLarge, "the document would have \(size) bytes, above the limit of \(Model.maximumDocumentSize.bytes)")
        }
        let position = DocumentPosition(partition: checkpoint.partition.number, offset: checkpoint.offset - 1, time: event.time ?? time)
        return StoredDocument(key: event.key, position: position, expires: fold.lifetime.map { time + $0.milliseconds }, fields: fields)
    }

    // MARK: The snapshot

    /// From the beginning again after a fault, or where somebody has erased a key meanwhile.
    private func keepAnyhow(_ tails: [PartitionID: LogTail]) async throws {
        var pause = Backoff(first: .milliseconds(500), most: .seconds(5))
        for _ in 0..<Self.attempts {
            do {
                if try await keep(tails) { return }
            } catch let failure as any StoreFailure where failure.isRetriable {
                logger.debug("what was loaded is kept again, after a fault", metadata: ["build": "\(build.id)", "error": "\(failure)"])
            }
            try await Task.sleep(for: pause.next())
        }
        guard try await keep(tails) else { throw gone }
    }

    /// One for each partition, all of them in one pass along the keys. False where one was removed meanwhile.
    private func keep(_ tails: [PartitionID: LogTail]) async throws -> Bool {
        for partition in partitions {
            for dead in try await snapshots.snapshots(of: partition) where dead.id.build == build.id { try await snapshots.remove(dead.id) }
        }
        var blocks: [Int: SnapshotBlocks] = [:]
        for partition in partitions {
            guard let tail = tails[partition] else { throw gone }
            let id = SnapshotID(build: build.id, partition: partition, offset: tail.offset, attempt: RandomUUID.text())
            let snapshot = Snapshot(
                id: id, purpose: .load, isLoaded: true, foldHash: build.foldHash, foldVersion: build.foldVersion, time: tail.at,
                decisions: Digest(of: [:], below: tail.offset))
            try await snapshots.begin(snapshot)
            blocks[partition.number] = SnapshotBlocks(snapshot, snapshots, SnapshotRun.Limits(), lifetime: fold.lifetime)
        }
        var last: String?
        while true {
            let page = try await store.documents(of: build.id, after: last, most: Self.page)
            for document in page {
                let number = Partitioning.partition(of: document.key.utf8, count: rows.stream.partitions)
                try await blocks[number]?.append(SnapshotRow(key: ExactString(document.key), bson: document.bson))
            }
            guard let end = page.last?.key else { break }
            last = end
        }
        for number in blocks.keys.sorted() {
            try await blocks[number]?.finish()
            guard var snapshot = blocks[number]?.snapshot else { continue }
            snapshot.isComplete = true
            guard try await snapshots.complete(snapshot) else { return false }
        }
        return true
    }
}
