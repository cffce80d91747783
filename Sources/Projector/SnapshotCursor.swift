import Events
import Values

/// Goes along the keys and digests of a snapshot, in order.
struct SnapshotCursor {
    private let id: SnapshotID?
    private let store: any SnapshotStore
    private var numbers: Range<Int>
    private(set) var index = SnapshotIndex()
    private(set) var place = 0
    private var more: ArraySlice<SnapshotIndex> = []

    /// Blocks that are read at once.
    private static let page = 64

    /// - Parameter blocks: the numbers of those that are wanted.
    init(_ snapshot: Snapshot?, _ blocks: Range<Int>, _ store: any SnapshotStore) {
        id = snapshot?.id
        numbers = snapshot == nil ? 0..<0 : blocks
        self.store = store
    }

    /// Whether `fill` is to be called before the row is looked at.
    @inline(__always)
    var isEmpty: Bool { place >= index.keys.count }

    /// Reads the next block. False at the end.
    mutating func fill() async throws -> Bool {
        while isEmpty {
            if more.isEmpty {
                guard let id, !numbers.isEmpty else { return false }
                let wanted = numbers.lowerBound..<min(numbers.upperBound, numbers.lowerBound + Self.page)
                let found = try await store.indexes(of: id, wanted)
                guard found.count == wanted.count else { throw SnapshotDamaged(id, "blocks are missing") }
                numbers = wanted.upperBound..<numbers.upperBound
                more = found[...]
            }
            guard let next = more.popFirst() else { return false }
            (index, place) = (next, 0)
        }
        return true
    }

    @inline(__always)
    mutating func advance() { place += 1 }

    /// Goes behind the block.
    mutating func pass() { place = index.keys.count }

    /// Whether the next row is a document's, and as that is stored. False also where it has to be read first.
    @inline(__always)
    func isSame(as page: ScannedPage, at document: Int) -> Bool {
        !isEmpty && index.digests[place] == page.digests[document] && index.keys.isEqual(at: place, to: page.keys, at: document)
    }
}
