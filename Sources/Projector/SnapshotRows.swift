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
        // What was erased may have left nothing of a block.
        while let snapshot, next < snapshot.blocks {
            let numbers = next..<min(snapshot.blocks, next + Self.page)
            let rows = try await Self.rows(numbers, in: snapshot, store)
            next = numbers.upperBound
            if !rows.isEmpty { return rows }
        }
        return nil
    }

    /// Times that blocks are read again of which a key was erased between keys and documents.
    private static let mostReads = 3

    /// The rows of some blocks.
    static func rows(_ numbers: Range<Int>, in snapshot: Snapshot, _ store: any SnapshotStore) async throws -> [SnapshotRow] {
        for _ in 0..<mostReads {
            let indexes = try await store.indexes(of: snapshot.id, numbers)
            let bodies = try await store.bodies(of: snapshot.id, numbers)
            guard indexes.count == numbers.count, bodies.count == numbers.count else { throw SnapshotDamaged(snapshot.id, "blocks are missing") }
            guard zip(indexes, bodies).allSatisfy({ $0.keys.count == $1.count }) else { continue }
            return zip(indexes, bodies).flatMap { index, bodies in
                bodies.indices.map { SnapshotRow(key: ExactString(index.keys[$0]), bson: bodies[$0], isHeld: index.isHeld[$0]) }
            }
        }
        throw SnapshotDamaged(snapshot.id, "a block has other documents than keys")
    }

    /// The block that has a key, with its rows; nil where none has it.
    static func block(with key: ExactString, in snapshot: Snapshot, _ store: any SnapshotStore) async throws -> (number: Int, rows: [SnapshotRow])? {
        for number in try await block(of: key, in: snapshot, store)..<snapshot.blocks {
            let rows = try await rows(number..<number + 1, in: snapshot, store)
            guard let last = rows.last, key <= last.key else { continue }
            return rows.contains { $0.key == key } ? (number, rows) : nil
        }
        return nil
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
                found += try await rows(number..<number + 1, in: snapshot, store).filter { wanted.contains($0.key) }
            }
        }
        return found
    }

    /// Index blocks that are read at once.
    private static let indexPage = 64

    /// The first block that does not end before a key, found by halving, or one before it.
    private static func block(of key: ExactString, in snapshot: Snapshot, _ store: any SnapshotStore) async throws -> Int {
        var (low, high) = (0, snapshot.blocks)
        while low < high {
            let middle = low + (high - low) / 2
            guard let index = try await store.indexes(of: snapshot.id, middle..<middle + 1).first else {
                throw SnapshotDamaged(snapshot.id, "a block is missing")
            }
            // Of one that has nothing left it is not known, and whoever begins too early finds it too.
            if let last = index.keys.last, ExactString(last) < key { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
