import Events
import Models
import Values

/// Makes a snapshot from the one before it, and what the log has since: its truth is the log alone.
///
/// It goes in the order of the keys. Those that the log has touched are folded in pages, each going through the log once;
/// the others are passed on as they are. So what is in memory does not grow with the documents, nor with the log.
public struct SnapshotRun: Sendable {
    private let definition: FoldDefinition
    private let partition: PartitionID
    private let store: any SnapshotStore
    private let log: any EventLog
    private let limits: Limits

    public struct Limits: Sendable {
        /// Keys that are folded at once, and the bytes of their documents.
        public var keys = 100_000
        public var bytes = ByteCount.mebibytes(48)
        /// Keys of one block, and the bytes of their documents: what one damaged or changed key makes somebody read.
        public var blockKeys = 512
        public var blockBytes = ByteCount.mebibytes(1)

        public init() {}
    }

    public init(
        _ definition: FoldDefinition, _ partition: PartitionID, store: any SnapshotStore, log: any EventLog, limits: Limits = Limits()
    ) {
        self.definition = definition
        self.partition = partition
        self.store = store
        self.log = log
        self.limits = limits
    }

    /// The snapshot at an offset that the build has reached. One that is there already, and tells the same, is taken.
    ///
    /// - Parameter keep: how many of the same purpose are kept, of this model and partition.
    public func make(at offset: Int64, for purpose: Snapshot.Purpose, keep: Int) async throws -> (snapshot: Snapshot, base: Snapshot?) {
        while true {
            do {
                return try await attempt(offset, purpose, keep)
            } catch let damage as SnapshotDamaged {
                try await store.discard(damage)
            }
        }
    }

    private func attempt(_ offset: Int64, _ purpose: Snapshot.Purpose, _ keep: Int) async throws -> (snapshot: Snapshot, base: Snapshot?) {
        let decisions = try await store.decisions(on: definition.build.model, partition)
        let base = try await clean(decisions, offset)
        if var base, base.id.offset == offset {
            if base.purpose < purpose {
                guard try await store.change(base.id, to: purpose) else { throw SnapshotDamaged(base.id, "somebody else has removed it") }
                base.purpose = purpose
            }
            // Also what one that died has left to remove.
            try await removeOldest(purpose, keep)
            return (base, base)
        }
        let time = offset == 0 ? 0 : try await store.logged(at: offset - 1, of: partition) ?? 0
        var snapshot = Snapshot(
            id: SnapshotID(build: definition.build, partition: partition, offset: offset, attempt: RandomUUID.text()), purpose: purpose,
            isLoaded: definition.load(in: partition) != nil, foldHash: definition.foldHash, foldVersion: definition.foldVersion, time: time,
            decisions: Digest(of: decisions, below: offset))
        try await store.begin(snapshot)
        CrashPoint.snapshotBegun.reached()
        try await write(&snapshot, from: base, decisions)
        snapshot.isComplete = true
        guard try await store.complete(snapshot) else {
            throw Refusal(.noProgress, "somebody else has removed \(snapshot.id) while it was made: try again")
        }
        CrashPoint.snapshotCompleted.reached()
        try await removeOldest(purpose, keep)
        return (snapshot, base)
    }

    /// Removes what attempts that died have left, and what tells the truth no more. Returns the nearest that does.
    private func clean(_ decisions: [Int64: Decision], _ offset: Int64) async throws -> Snapshot? {
        let own = try await store.snapshots(of: partition).filter(definition.isOfSameHistory)
        // Also those of builds that are gone. One that comes back makes its own again, from the log. What a build was loaded with
        // goes with the build.
        for dead in own where !definition.isTold(by: dead, decisions) && dead.purpose != .load { try await store.remove(dead.id) }
        try await store.removeLeftovers()
        return try definition.nearest(of: own, to: offset, in: partition, decisions)
    }

    private func removeOldest(_ purpose: Snapshot.Purpose, _ keep: Int) async throws {
        let same = try await store.snapshots(of: partition).filter { definition.isOfSameHistory($0) && $0.isComplete && $0.purpose == purpose }
        for old in same.sorted(by: { $0.id.offset > $1.id.offset }).dropFirst(keep) { try await store.remove(old.id) }
    }

    // MARK: Folding

    private func write(_ snapshot: inout Snapshot, from base: Snapshot?, _ decisions: [Int64: Decision]) async throws {
        var output = SnapshotBlocks(snapshot, store, limits, lifetime: definition.fold.lifetime)
        var rest = SnapshotRows(base, store)
        var waiting: ArraySlice<SnapshotRow> = []
        var done: ExactString?
        var pageKeys = limits.keys
        let offsets = (base?.id.offset ?? 0)..<snapshot.id.offset
        while true {
            var touched = offsets.isEmpty ? [] : try await store.keys(of: partition, offsets, after: done, most: pageKeys)
            let isLast = touched.count < pageKeys
            var folded: KeyHistory?
            while folded == nil {
                folded = try await fold(touched, from: base, to: snapshot.id.offset, decisions)
                if folded == nil {
                    touched = Array(touched.prefix(touched.count / 2))
                    pageKeys = touched.count
                }
            }
            let isWhole = isLast && touched.count < pageKeys
            var page = touched[...]
            while true {
                if waiting.isEmpty, let rows = try await rest.rows() { waiting = rows[...] }
                // What lies behind the last key of a page is the next page's, which may fold keys that come before it.
                if let row = waiting.first, isWhole || row.key <= touched[touched.count - 1] {
                    if let key = page.first, key <= row.key {
                        if let folded { try await output.append(folded.row(of: key)) }
                        page.removeFirst()
                        if key == row.key { waiting.removeFirst() }
                    } else {
                        try await output.append(row)
                        waiting.removeFirst()
                    }
                } else if let key = page.popFirst() {
                    if let folded { try await output.append(folded.row(of: key)) }
                } else {
                    break
                }
            }
            if isWhole { break }
            done = touched.last
        }
        try await output.finish()
        snapshot = output.snapshot
    }

    /// nil where the documents are too large for so many at once.
    private func fold(_ keys: [ExactString], from base: Snapshot?, to offset: Int64, _ decisions: [Int64: Decision]) async throws -> KeyHistory? {
        let rows = try await SnapshotRows.rows(of: keys, in: base, store)
        var history = KeyHistory(of: keys.map(\.text), build: definition.build, fold: definition.fold, decisions: decisions)
        history.begin(with: rows, at: base?.id.offset ?? 0)
        let isRead = try await history.read(log, partition, below: offset, mostBytes: keys.count > 1 ? limits.bytes.bytes : .max)
        return isRead ? history : nil
    }
}
