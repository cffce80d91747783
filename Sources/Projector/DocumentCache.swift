import Values

/// Recently used documents as BSON bytes, bounded by bytes.
///
/// What is used is young. When the young ones hold half of the limit, those that were not used meanwhile are dropped, and
/// all that is left is old: that keeps what is used again, at one look-up in one table.
struct DocumentCache {
    private struct Entry {
        var bytes: [UInt8]
        /// The generation in which it was last used.
        var generation: Int
    }

    private let limit: Int
    private var entries: [ExactString: Entry] = [:]
    private var generation = 0
    private var youngBytes = 0

    /// What an entry costs beside its bytes: key, array header and table slots.
    private static let overhead = 160

    init(limit: Int) { self.limit = limit }

    subscript(key: ExactString) -> [UInt8]? {
        mutating get {
            guard let index = entries.index(forKey: key) else { return nil }
            let bytes = entries.values[index].bytes
            if entries.values[index].generation != generation {
                entries.values[index].generation = generation
                grow(by: bytes.count)
            }
            return bytes
        }
        set {
            let replaced = newValue.map { entries.updateValue(Entry(bytes: $0, generation: generation), forKey: key) } ?? entries.removeValue(forKey: key)
            if let replaced, replaced.generation == generation { youngBytes -= replaced.bytes.count + Self.overhead }
            if let newValue { grow(by: newValue.count) }
        }
    }

    mutating func removeAll() { self = DocumentCache(limit: limit) }

    private mutating func grow(by bytes: Int) {
        youngBytes += bytes + Self.overhead
        guard youngBytes > limit / 2 else { return }
        entries = entries.filter { $0.value.generation == generation }
        generation += 1
        youngBytes = 0
    }
}
