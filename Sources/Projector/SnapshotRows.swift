import Events
import Values

/// The rows of a snapshot in the order of their keys, some blocks at a time.
struct SnapshotRows {
    private let snapshot: Snapshot?
    private let store: any SnapshotStore
    private var next = 0

    /// Blocks that are read at once.
    private static let page = 8

    /// - Parameter snapshot: nil for one without rows.
    init(_ snapshot: Snapshot?, _ store: any SnapshotStore) {
        self.snapshot = snapshot
        self.store = store
    }

    /// The next blocks' rows; nil at the end.
    mutating func rows() async throws -> [SnapshotRow]? {
        guard let snapshot, next < snapshot.blocks else { return nil }
        let numbers = next..<min(snapshot.blocks, next + Self.page)
        let indexes = try await store.indexes(of: snapshot.id, numbers)
        let bodies = try await store.bodies(of: snapshot.id, numbers)
        guard indexes.count == numbers.count, bodies.count == numbers.count else { throw SnapshotDamaged(snapshot.id, "blocks are missing") }
        next = numbers.upperBound
        return try zip(indexes, bodies).flatMap { try Self.rows($0, $1, snapshot.id) }
    }

    /// The rows of these keys, which are in order.
    static func rows(of keys: [ExactString], in snapshot: Snapshot?, _ store: any SnapshotStore) async throws -> [SnapshotRow] {
        guard let snapshot, let key = keys.first else { return [] }
        var found: [SnapshotRow] = []
        var place = 0
        for first in stride(from: try await block(of: key, in: snapshot, store), to: snapshot.blocks, by: indexPage) where place < keys.count {
            let numbers = first..<min(snapshot.blocks, first + indexPage)
            let indexes = try await store.indexes(of: snapshot.id, numbers)
            guard indexes.count == numbers.count else { throw SnapshotDamaged(snapshot.id, "blocks are missing") }
            for (number, index) in zip(numbers, indexes) {
                guard place < keys.count, let last = index.keys.last.map({ ExactString($0) }), keys[place] <= last else { continue }
                let end = keys[place...].firstIndex { last < $0 } ?? keys.count
                let wanted = Set(keys[place..<end])
                place = end
                let bodies = try await store.bodies(of: snapshot.id, number..<number + 1)
                guard let bodies = bodies.first else { throw SnapshotDamaged(snapshot.id, "a block is missing") }
                found += try rows(index, bodies, snapshot.id).filter { wanted.contains($0.key) }
            }
        }
        return found
    }

    /// Index blocks that are read at once.
    private static let indexPage = 64

    /// The first block that does not end before a key, found by halving.
    private static func block(of key: ExactString, in snapshot: Snapshot, _ store: any SnapshotStore) async throws -> Int {
        var (low, high) = (0, snapshot.blocks)
        while low < high {
            let middle = low + (high - low) / 2
            guard let last = try await store.indexes(of: snapshot.id, middle..<middle + 1).first?.keys.last else {
                throw SnapshotDamaged(snapshot.id, "a block is missing")
            }
            if ExactString(last) < key { low = middle + 1 } else { high = middle }
        }
        return low
    }

    private static func rows(_ index: SnapshotIndex, _ bodies: [[UInt8]], _ id: SnapshotID) throws -> [SnapshotRow] {
        guard bodies.count == index.keys.count else { throw SnapshotDamaged(id, "a block has other documents than keys") }
        return bodies.indices.map { SnapshotRow(key: ExactString(index.keys[$0]), bson: bodies[$0], isHeld: index.isHeld[$0]) }
    }
}
