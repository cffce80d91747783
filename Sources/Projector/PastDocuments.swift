import Events
import Models
import Values

/// Documents as the log makes them at an offset that their build has passed: from the nearest snapshot and the log
/// behind it.
public struct PastDocuments: Sendable {
    private let definition: FoldDefinition
    private let partition: PartitionID
    private let snapshots: any SnapshotStore
    private let log: any LoggedChunks

    public init(_ definition: FoldDefinition, _ partition: PartitionID, snapshots: any SnapshotStore, log: any LoggedChunks) {
        self.definition = definition
        self.partition = partition
        self.snapshots = snapshots
        self.log = log
    }

    /// A document as the events below an offset make it, expired or not; and the snapshot that it was folded from.
    public func document(of key: String, below offset: Int64) async throws -> (document: StoredDocument?, base: Snapshot?) {
        let decisions = try await snapshots.decisions(on: definition.build.model, partition)
        var known = try await snapshots.snapshots(of: partition)
        while true {
            let base = try definition.nearest(of: known, to: offset, in: partition, decisions)
            do {
                var history = KeyHistory(of: [key], build: definition.build, fold: definition.fold, decisions: decisions)
                history.begin(with: try await SnapshotRows.rows(of: [ExactString(key)], in: base, snapshots), at: base?.id.offset ?? 0)
                try await history.read(log, partition, below: offset)
                return (history.document(of: key), base)
            } catch is SnapshotDamaged {
                // Also one that was removed meanwhile. The one before, or none, gives the same.
                known.removeAll { $0 == base }
            }
        }
    }
}
