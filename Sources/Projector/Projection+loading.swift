import Events
import Models
import Values

/// Where the documents of a batch come from: the cache, the store, and the log for those that somebody else has written.
extension Projection {
    /// Loads the documents that the batch has not touched before.
    func load(_ batch: inout FoldBatch, _ from: Checkpoint) async throws {
        var missing: [Int] = []
        for slot in batch.new {
            guard let bytes = cache[batch.slots[slot].key] else {
                missing.append(slot)
                continue
            }
            batch.slots[slot].load(StoredDocument(try Document(bson: bytes)), bytes: bytes.count)
        }
        var loaded = batch.bytes
        var place = 0
        while place < missing.count {
            guard loaded <= limits.loaded.bytes else {
                batch.truncate(documents: missing[place])
                break
            }
            let page = missing[place..<min(missing.count, place + loadSize)]
            let found = try await store.documents(of: build, keys: page.map { batch.slots[$0].key.text })
            let bytes = found.reduce(0) { $0 + $1.bson.count }
            loaded += bytes
            let average = max(256, bytes / max(1, found.count))
            loadSize = max(1, min(limits.loaded.bytes / average, loadSize * 8))
            for (key, bson) in found {
                if let slot = batch.place(of: key) { try load(bson, into: &batch.slots[slot], from) }
            }
            place = page.endIndex
        }
        for slot in batch.new where batch.slots[slot].isSuspect {
            batch.slots[slot].refolded = try await refold(batch.slots[slot].key.text, below: from.offset)
        }
        // A repair that lifts a letter meanwhile raises the generation, so that this batch is not committed.
        guard fold.errorPolicy == .hold, from.totals.parked > 0 else { return }
        for key in try await store.keysWithLetters(in: build, partition, below: from.offset, among: batch.slots[batch.new].map(\.key.text)) {
            if let slot = batch.place(of: key.text) { batch.slots[slot].wasHeld = true }
        }
    }

    private func load(_ bson: [UInt8], into slot: inout FoldBatch.Slot, _ from: Checkpoint) throws {
        let stored = StoredDocument(try Document(bson: bson))
        slot.load(stored, bytes: bson.count)
        // Somebody else wrote it: no position, or one that this checkpoint has not reached.
        slot.isSuspect = stored.map { $0.position.partition != partition.number || $0.position.offset >= from.offset } ?? true
    }

    /// After a write found another document than was planned for: reads every document of the batch again, and folds
    /// those that are not what the batch was computed from out of the log.
    func verify(_ batch: inout FoldBatch, _ from: Checkpoint) async throws {
        cache.removeAll()
        let stored = try await store.documents(of: build, keys: batch.slots.map(\.key.text))
        let byKey = Dictionary(stored.map { (ExactString($0.key), $0.bson) }, uniquingKeysWith: { $1 })
        for slot in batch.slots.indices {
            let assumed = batch.slots[slot].before
            let found = byKey[batch.slots[slot].key]
            guard found != assumed?.bson else { continue }
            batch.slots[slot].load(try found.flatMap { StoredDocument(try Document(bson: $0)) }, bytes: found?.count ?? 0)
            batch.slots[slot].isStored = found != nil
            batch.slots[slot].isSuspect = true
            batch.slots[slot].refolded = try await refold(batch.slots[slot].key.text, below: from.offset)
        }
    }

    /// The document as the log makes it before an offset.
    private func refold(_ key: String, below offset: Int64) async throws -> StoredDocument? {
        let decisions = try await store.decisions(on: build, partition, from: 0, keys: [key])
        var history = KeyHistory(of: [key], build: build, fold: fold, decisions: decisions)
        if let start = try await store.beginning(of: history.keys, in: build, partition) { history.begin(with: start.rows, at: start.offset) }
        try await history.read(log, partition, below: offset)
        return history.document(of: key)
    }
}
