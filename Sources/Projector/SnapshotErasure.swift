import Events
import Logging
import Values

/// Takes a key out of the snapshots, and leaves all else in them: where the log was pruned, nobody could make them again, nor say any
/// more whether the other documents are right.
///
/// A snapshot then tells what the log does of which the key's events were erased. Decisions about them go with their letters, so
/// that it is one of the decisions without them from here on; whoever looks for snapshots before the letters are gone takes it
/// for stale.
public struct SnapshotErasure: KeyTrace {
    private let store: any SnapshotStore
    private let logger: Logger

    public init(_ store: any SnapshotStore, logger: Logger) {
        self.store = store
        self.logger = logger
    }

    /// Returns in how many there was something of it. Those that are being made are removed: whoever makes one may have read the key
    /// before. So it looks again until it finds nothing.
    public func erase(_ key: String, of partition: PartitionID) async throws -> Int64 {
        var erased: Set<SnapshotID> = []
        var isDone = false
        while !isDone {
            isDone = true
            for snapshot in try await Fault.borne("read snapshots", logger, { try await store.snapshots(of: partition) }) {
                guard try await Fault.borne("erase from a snapshot", logger, { try await erase(ExactString(key), from: snapshot) }) else { continue }
                isDone = false
                erased.insert(snapshot.id)
            }
        }
        try await Fault.borne("remove leftovers", logger) { try await store.removeLeftovers() }
        return Int64(erased.count)
    }

    /// Whether there was anything to do.
    private func erase(_ key: ExactString, from snapshot: Snapshot) async throws -> Bool {
        do {
            guard snapshot.isComplete else { throw SnapshotDamaged(snapshot.id, "it is being made") }
            var changed = snapshot
            changed.decisions = try await decisions(without: key, snapshot)
            var block = try await SnapshotRows.block(with: key, in: snapshot, store)
            if let row = block?.rows.first(where: { $0.key == key }) {
                block?.rows.removeAll { $0.key == key }
                changed.rows -= 1
                changed.documents -= row.bson.isEmpty ? 0 : 1
                changed.bytes -= Int64(row.bson.count)
            }
            guard changed != snapshot else { return false }
            try await store.rewrite(changed, block)
            CrashPoint.snapshotErased.reached()
        } catch is SnapshotDamaged {
            try await store.remove(snapshot.id)
        }
        return true
    }

    /// What a snapshot says of decisions, when those about the key are gone. One that is stale stays so.
    private func decisions(without key: ExactString, _ snapshot: Snapshot) async throws -> Digest {
        let (model, partition) = (snapshot.id.build.model, snapshot.id.partition)
        let all = try await store.decisions(on: model, partition)
        guard snapshot.decisions == Digest(of: all, below: snapshot.id.offset) else { return snapshot.decisions }
        let own = try await store.decisions(on: model, partition, ofKey: key.text)
        return Digest(of: all.filter { own[$0.key] == nil }, below: snapshot.id.offset)
    }
}
