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
    private var slots: [ExactString: FoldBatch.Slot] = [:]
    /// Of the documents, as they are stored.
    public private(set) var bytes = 0

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
    public func document(of key: String) -> StoredDocument? { slots[ExactString(key)]?.after }

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
            if let known = slots[batch.slots[slot].key] { batch.slots[slot] = known }
            batch.slots[slot].goOn()
        }
        let outcome = batch.fold(fold, build: build, totals: totals)
        totals = outcome.totals
        for slot in batch.slots {
            bytes += slot.bson.count - (slots[slot.key]?.bson.count ?? 0)
            slots[slot.key] = slot
        }
        return outcome.deadLetters
    }
}

extension KeyHistory {
    /// Folds what the log has of the keys from where the history stands up to an offset.
    public mutating func read(_ log: any EventLog, _ partition: PartitionID, below limit: Int64) async throws {
        while let chunks = try await Self.next(log, partition, keys, end..<limit) {
            for chunk in chunks { take(DecodedChunk(parsing: chunk, end..<limit), below: limit) }
        }
        skip(to: limit)
    }

    /// The next chunks that may hold events of the keys; nil where there are none below the range's end.
    static func next(_ log: any EventLog, _ partition: PartitionID, _ keys: Set<ExactString>, _ offsets: Range<Int64>) async throws -> [Chunk]? {
        guard !offsets.isEmpty else { return nil }
        let chunks =
            isIndexed(keys.count)
            ? try await log.chunks(of: partition, withKeys: keys.map(\.text), offsets)
            : try await log.chunks(of: partition, from: offsets.lowerBound, events: pageEvents)
        return chunks.isEmpty ? nil : chunks
    }
}
