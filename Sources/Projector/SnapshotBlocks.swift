import Events
import Models
import Values

/// Rows of a snapshot on their way into blocks.
struct SnapshotBlocks {
    private(set) var snapshot: Snapshot
    private let store: any SnapshotStore
    private let limits: SnapshotRun.Limits
    private let lifetime: Duration?
    private var rows: [SnapshotRow] = []
    private var bytes = 0
    private var full: [[SnapshotRow]] = []

    /// Blocks that are written at once.
    private static let page = 8

    init(_ snapshot: Snapshot, _ store: any SnapshotStore, _ limits: SnapshotRun.Limits, lifetime: Duration?) {
        self.snapshot = snapshot
        self.store = store
        self.limits = limits
        self.lifetime = lifetime
    }

    mutating func append(_ row: SnapshotRow) async throws {
        var row = row
        // What expires is absent for every event behind the snapshot.
        if lifetime != nil, !row.bson.isEmpty, try StoredDocument(Document(bson: row.bson))?.isExpired(at: snapshot.time) ?? false { row.bson = [] }
        guard !row.bson.isEmpty || row.isHeld else { return }
        snapshot.rows += 1
        snapshot.documents += row.bson.isEmpty ? 0 : 1
        snapshot.bytes += Int64(row.bson.count)
        rows.append(row)
        bytes += row.bson.count
        guard rows.count >= limits.blockKeys || bytes >= limits.blockBytes.bytes else { return }
        close()
        if full.count >= Self.page { try await write() }
    }

    mutating func finish() async throws {
        close()
        try await write()
    }

    private mutating func close() {
        if !rows.isEmpty { full.append(rows) }
        rows.removeAll(keepingCapacity: true)
        bytes = 0
    }

    private mutating func write() async throws {
        guard !full.isEmpty else { return }
        try await store.append(full, from: snapshot.blocks, to: snapshot.id)
        CrashPoint.snapshotWritten.reached()
        snapshot.blocks += full.count
        full = []
    }
}
