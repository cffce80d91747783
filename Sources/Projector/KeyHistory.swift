import Events
import Models
import Values

/// The fold of some keys' events, and of no others: what their documents must be, by their history alone.
///
/// It goes through the log once, and keeps nothing but the documents.
public struct KeyHistory: Sendable {
    public let keys: Set<ExactString>
    /// Where the events of the keys are known up to.
    public private(set) var end: Int64 = 0
    /// What became of the events so far.
    public private(set) var totals = ProjectionTotals()
    private let build: BuildID
    private let fold: any Folding
    private var decisions: [Int64: Decision]
    private var states: [ExactString: State] = [:]
    /// Of the documents, as they are stored.
    public private(set) var bytes = 0

    /// What the events so far make of a key: as it is stored, which takes a tenth of what the document takes that is folded.
    private struct State {
        /// Empty where there is no document.
        var bson: [UInt8]
        var isHeld: Bool
    }

    /// Up to so many keys are looked up in the log's index; for more of them, reading all of it takes less.
    private static let indexedKeys = 200
    /// Elements of the log that are held at once.
    private static let pageEvents = 20_000

    /// - Parameter decisions: what was decided about the keys' events.
    public init(of keys: some Sequence<String>, build: BuildID, fold: any Folding, decisions: [Int64: Decision] = [:]) {
        self.keys = Set(keys.map { ExactString($0) })
        self.build = build
        self.fold = fold
        self.decisions = decisions
    }

    /// The document as the events so far make it, also where it has expired since.
    public func document(of key: String) -> StoredDocument? { states[ExactString(key)].flatMap { Self.document($0.bson) } }

    private static func document(_ bson: [UInt8]) -> StoredDocument? {
        // What was encoded here can be decoded.
        bson.isEmpty ? nil : (try? Document(bson: bson)).flatMap(StoredDocument.init)
    }

    /// The key as the events so far make it, as a row of a snapshot.
    func row(of key: ExactString) -> SnapshotRow {
        SnapshotRow(key: key, bson: states[key]?.bson ?? [], isHeld: states[key]?.isHeld ?? false)
    }

    /// Takes what a snapshot at an offset says of the keys for what the events before it make of them.
    mutating func begin(with rows: [SnapshotRow], at offset: Int64) {
        for row in rows where keys.contains(row.key) {
            states[row.key] = State(bson: row.bson, isHeld: row.isHeld)
            bytes += row.bson.count
        }
        end = offset
    }

    /// Whether the events of so many keys are looked up in the log's index.
    static func isIndexed(_ count: Int) -> Bool { count <= indexedKeys }

    var isIndexed: Bool { Self.isIndexed(keys.count) }

    /// There is nothing more of the keys up to an offset.
    mutating func skip(to offset: Int64) { end = max(end, offset) }

    /// Adds decisions about events that are still to come.
    mutating func add(_ decisions: [Int64: Decision]) { self.decisions.merge(decisions) { $1 } }

    /// Folds the keys' events of a chunk below an offset, and returns the dead letters they make. Those that were folded
    /// already are passed over.
    @discardableResult
    public mutating func take(_ decoded: DecodedChunk, below limit: Int64 = .max) -> [DeadLetter] {
        let last = min(limit, decoded.chunk.end)
        guard end < last else { return [] }
        var batch = FoldBatch(of: keys, decoded, end..<last, fold: fold, decisions: decisions)
        end = last
        for slot in batch.slots.indices {
            if let known = states[batch.slots[slot].key] { batch.slots[slot].goOn(from: Self.document(known.bson), isHeld: known.isHeld) }
            batch.slots[slot].checksSize = true
        }
        let outcome = batch.fold(fold, build: build, after: .init(totals: totals))
        batch.encode()
        totals = outcome.totals
        for slot in batch.slots {
            bytes += slot.bson.count - (states[slot.key]?.bson.count ?? 0)
            states[slot.key] = State(bson: slot.bson, isHeld: slot.isHeld)
        }
        return outcome.deadLetters
    }
}

extension KeyHistory {
    /// Folds what the log has of the keys from where the history stands up to an offset.
    public mutating func read(_ log: any LoggedChunks, _ partition: PartitionID, below limit: Int64) async throws {
        _ = try await read(log, partition, below: limit, mostBytes: .max)
    }

    /// The same. False when the documents have grown beyond so many bytes, and nothing more was read.
    mutating func read(_ log: any LoggedChunks, _ partition: PartitionID, below limit: Int64, mostBytes: Int) async throws -> Bool {
        while bytes <= mostBytes {
            guard let chunks = try await Self.next(log, partition, keys, end..<limit) else {
                skip(to: limit)
                return true
            }
            for chunk in chunks { take(DecodedChunk(parsing: chunk, end..<limit, of: keys), below: limit) }
        }
        return false
    }

    /// The next chunks that may hold events of the keys; nil where there are none below the range's end.
    static func next(_ log: any LoggedChunks, _ partition: PartitionID, _ keys: Set<ExactString>, _ offsets: Range<Int64>) async throws -> [Chunk]? {
        guard !offsets.isEmpty else { return nil }
        let chunks =
            isIndexed(keys.count)
            ? try await log.chunks(of: partition, withKeys: keys.map(\.text), offsets)
            : try await log.chunks(of: partition, from: offsets.lowerBound, events: pageEvents)
        return chunks.isEmpty ? nil : chunks
    }
}
