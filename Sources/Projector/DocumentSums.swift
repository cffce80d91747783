import Values

/// Sums of documents' digests, by buckets of their keys: two collections with the same sums hold the same documents, in
/// whatever order they are gone through, and where a sum is another only the documents of its bucket have to be looked at.
///
/// 2 MiB, however many documents there are. Sums, and not exclusive ors: a document that is met twice must show.
public struct DocumentSums: Sendable {
    static let buckets = 1 << 18

    private var sums = [UInt64](repeating: 0, count: DocumentSums.buckets)
    /// What is to be added, many at once: each is at another place, and a processor that waits for one of them after the
    /// other spends more time on that than on all the rest.
    private var waiting: [(bucket: Int, digest: UInt64)] = []
    private static let most = 1024
    private var added: Int64 = 0

    /// How many were added.
    public var documents: Int64 { added + Int64(waiting.count) }

    public init() {}

    static func bucket(of key: UnsafeRawBufferPointer) -> Int { Int(truncatingIfNeeded: Digest(of: key).low) & (buckets - 1) }

    /// - Parameters:
    ///   - key: UTF-8.
    ///   - digest: of the document's BSON.
    public mutating func add(_ key: UnsafeRawBufferPointer, _ digest: Digest) {
        waiting.append((Self.bucket(of: key), digest.high))
        if waiting.count == Self.most { addWaiting() }
    }

    private mutating func addWaiting() {
        sums.withUnsafeMutableBufferPointer { sums in
            for (bucket, digest) in waiting { sums[bucket] &+= digest }
        }
        added += Int64(waiting.count)
        waiting.removeAll(keepingCapacity: true)
    }

    /// Where these sums are others.
    public func differences(from other: DocumentSums) -> KeyBuckets {
        var (left, right) = (self, other)
        left.addWaiting()
        right.addWaiting()
        var differences = KeyBuckets()
        for bucket in 0..<Self.buckets where left.sums[bucket] != right.sums[bucket] { differences.insert(bucket) }
        return differences
    }
}

/// Some of the buckets that documents are summed up in.
public struct KeyBuckets: Sendable {
    private var bits = [UInt64](repeating: 0, count: DocumentSums.buckets / 64)
    public private(set) var count = 0

    public init() {}

    public var isEmpty: Bool { count == 0 }

    /// The part of all keys that is likely in one of them: 0 to 1.
    public var part: Double { Double(count) / Double(DocumentSums.buckets) }

    mutating func insert(_ bucket: Int) {
        guard bits[bucket / 64] & 1 << (bucket % 64) == 0 else { return }
        bits[bucket / 64] |= 1 << (bucket % 64)
        count += 1
    }

    /// - Parameter key: UTF-8.
    public func contains(_ key: UnsafeRawBufferPointer) -> Bool {
        let bucket = DocumentSums.bucket(of: key)
        return bits[bucket / 64] & 1 << (bucket % 64) != 0
    }
}
