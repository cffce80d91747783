import Events
import Models
import Values

/// The fold of one key's events: what a document must be, by its history alone.
public struct KeyHistory {
    private let fold: any Folding
    private let crashParked: Set<Int64>

    /// - Parameter crashParked: offsets of the model's events that are parked unread.
    public init(fold: any Folding, crashParked: Set<Int64> = []) {
        self.fold = fold
        self.crashParked = crashParked
    }

    /// The document after every event of the key below an offset. `chunks` hold the key's events, in order. Events that
    /// cannot be taken are parked, there as here, and change nothing.
    public func document(of key: String, in chunks: [DecodedChunk], below offset: Int64) -> StoredDocument? {
        var batch = FoldBatch(key: ExactString(key), chunks, below: offset, fold: fold, crashParked: crashParked)
        guard !batch.slots.isEmpty else { return nil }
        batch.slots[0].checksSize = true
        _ = batch.fold(fold, build: BuildID(model: "", number: 0), totals: ProjectionTotals())
        return batch.slots[0].after
    }
}
