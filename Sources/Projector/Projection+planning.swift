import Events
import Logging
import Models
import Values

/// What a batch comes to: the commit that takes it into effect, and the documents to keep at hand.
extension Projection {
    func plan(_ batch: inout FoldBatch, _ outcome: FoldBatch.Outcome, _ from: Checkpoint) -> Commit {
        batch.encode()
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
                : DocumentWrite.change(
                    from: batch.slots[slot].before, to: batch.slots[slot].after, bson: batch.slots[slot].bson)
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

    func remember(_ batch: FoldBatch) {
        for slot in batch.slots.indices { cache[batch.slots[slot].key] = batch.slots[slot].bson.isEmpty ? nil : batch.slots[slot].bson }
    }
}
