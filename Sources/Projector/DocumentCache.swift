import Values

/// Recently used documents as BSON bytes, bounded by bytes.
///
/// Two generations: what is used moves to the young one, and when that holds half of the limit, the old one is dropped.
/// That keeps what is used again and costs one table look-up.
struct DocumentCache {
    private let limit: Int
    private var young: [ExactString: [UInt8]] = [:]
    private var old: [ExactString: [UInt8]] = [:]
    private var youngBytes = 0

    /// What an entry costs beside its bytes: key, array header and table slots.
    private static let overhead = 160

    init(limit: Int) { self.limit = limit }

    subscript(name: String) -> [UInt8]? {
        mutating get {
            let key = ExactString(name)
            if let bytes = young[key] { return bytes }
            guard let bytes = old.removeValue(forKey: key) else { return nil }
            add(key, bytes)
            return bytes
        }
        set {
            let key = ExactString(name)
            if let replaced = young.removeValue(forKey: key) { youngBytes -= replaced.count + Self.overhead }
            old.removeValue(forKey: key)
            if let newValue { add(key, newValue) }
        }
    }

    mutating func removeAll() {
        young = [:]
        old = [:]
        youngBytes = 0
    }

    private mutating func add(_ key: ExactString, _ bytes: [UInt8]) {
        young[key] = bytes
        youngBytes += bytes.count + Self.overhead
        if youngBytes > limit / 2 {
            old = young
            young = [:]
            youngBytes = 0
        }
    }
}
