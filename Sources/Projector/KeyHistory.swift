import Events
import Models
import Values

/// The fold of one key's events: what a document must be, by its history alone.
public struct KeyHistory {
    private let fold: any Folding

    public init(fold: any Folding) { self.fold = fold }

    /// The document after every event of the key below an offset. `chunks` hold the key's events, in order. Events that
    /// cannot be taken are parked, there as here, and change nothing.
    public func document(of key: String, in chunks: [DecodedChunk], below offset: Int64) -> StoredDocument? {
        var batch = FoldBatch(key: ExactString(key), chunks, below: offset, fold: fold)
        guard !batch.slots.isEmpty else { return nil }
        batch.slots[0].checksSize = true
        _ = batch.fold(fold, build: BuildID(model: "", number: 0), totals: ProjectionTotals())
        return batch.slots[0].after
    }
}
