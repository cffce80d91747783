import Events

/// How many elements to read at once: as many as stay near a chunk's bytes, by the sizes seen. It starts small and grows
/// by steps, so that a list of huge elements is noticed before many of them are asked for.
public struct ReadSize: Sendable {
    public private(set) var count = 64
    private let most: Int
    private let bytes: ByteCount

    /// - Parameters:
    ///   - most: elements of a page at most.
    ///   - bytes: that a page should have.
    public init(most: Int, bytes: ByteCount) {
        self.most = most
        self.bytes = bytes
    }

    mutating func learn(_ page: RawElements) {
        learn(count: page.count, bytes: page.bytes.count + page.oversize.values.reduce(0) { $0 + $1.length })
    }

    /// Takes the sizes of what was read into account.
    public mutating func learn(count read: Int, bytes size: Int) {
        let average = max(1, size / max(1, read))
        count = max(1, min(most, bytes.bytes / average, count * 8))
    }
}
