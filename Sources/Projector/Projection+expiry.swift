import Events
import Models
import Values

/// Documents that have expired.
///
/// The fold takes a document for absent from its expiry on, by the times of logging alone. So it shows in no document
/// when, and whether, what has expired by the checkpoint's time is removed: every event behind it is logged later.
extension Projection {
    /// How far a log's time moves on before it is looked for what has expired, while there are batches.
    static let sweepStep: Int64 = 1000

    /// Removes what has expired by the checkpoint's time, as much of it as one transaction should.
    ///
    /// - Parameter step: milliseconds that the time must have moved on since there was nothing left.
    func sweep(_ from: Checkpoint, atLeast step: Int64 = 1) async throws {
        guard fold.lifetime != nil, swept.map({ from.time - $0 >= step }) ?? true else { return }
        let keys = try await store.expired(in: build, partition, by: from.time, most: limits.documents)
        if !keys.isEmpty {
            var to = from
            to.totals.deleted += Int64(keys.count)
            let commit = Commit(from: from, to: to, writes: keys.map { .delete(key: $0) }, deadLetters: [])
            // Where somebody else has removed one of them, the next turn begins with what is stored.
            guard try await store.commit(commit) == .committed else { return forget() }
            CrashPoint.committed.reached()
            checkpoint = to
            for key in keys { cache[ExactString(key)] = nil }
        }
        if keys.count < limits.documents { swept = from.time }
    }
}
