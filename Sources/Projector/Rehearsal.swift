import Events
import Models
import Values

/// A projection without servers: batches of a log take effect on documents that are kept as MongoDB would keep them.
///
/// Each batch goes the way that every batch goes: the documents it touches are decoded, folded and encoded, and what
/// changed is written. So a document that comes out another way when the log is cut elsewhere shows here.
public struct Rehearsal: Sendable {
    /// Stored documents by their key, as BSON.
    public private(set) var documents: [ExactString: [UInt8]] = [:]
    public private(set) var totals = ProjectionTotals()
    public private(set) var deadLetters: [DeadLetter] = []
    /// The event that has stopped the model: nothing from there on takes effect.
    public private(set) var stopped: Standstill?
    /// Keys of which an event is parked, so that later ones are held.
    private var held: Set<ExactString> = []
    private let fold: any Folding
    private let build: BuildID
    private var offset: Int64

    /// - Parameters:
    ///   - documents: what is stored before the first batch; their positions are below `offset`.
    ///   - offset: of the first element of the first batch.
    public init(fold: any Folding, build: BuildID, documents: [StoredDocument], from offset: Int64) {
        self.fold = fold
        self.build = build
        self.offset = offset
        for document in documents { self.documents[ExactString(document.key)] = document.bson }
    }

    /// Takes the elements up to an offset into effect as one batch. `chunks` are consecutive, and hold them.
    public mutating func take(_ chunks: [DecodedChunk], to end: Int64) throws {
        var batch = FoldBatch(chunks.map { .parsed($0) }, from: offset, fold: fold, limits: .init(events: Int(end - offset), documents: .max))
        for slot in batch.slots.indices {
            batch.slots[slot].wasHeld = held.contains(batch.slots[slot].key)
            guard let bytes = documents[batch.slots[slot].key] else { continue }
            batch.slots[slot].load(StoredDocument(try Document(bson: bytes)), bytes: bytes.count)
        }
        let outcome = batch.fold(fold, build: build, after: .init(totals: totals))
        batch.encode()
        for slot in batch.slots {
            if slot.isHeld { held.insert(slot.key) }
            guard let write = DocumentWrite.change(from: slot.before, to: slot.after, bson: slot.bson) else { continue }
            guard try write.apply(to: &documents[slot.key]) else {
                throw Refusal(.badOperand, "the write of \(slot.key.text) was planned for another document than is stored")
            }
        }
        // Removed as soon as may be, which must not show.
        if fold.lifetime != nil, let time = batch.time {
            documents = try documents.filter { try !(StoredDocument(Document(bson: $0.value))?.isExpired(at: time) ?? false) }
        }
        totals = outcome.totals
        deadLetters += outcome.deadLetters
        stopped = outcome.stopped
        offset = batch.end
    }

    /// A stored document.
    public func document(of key: ExactString) throws -> StoredDocument? {
        try documents[key].flatMap { StoredDocument(try Document(bson: $0)) }
    }
}
