import Values

/// Elements as they came from the list: one run of bytes, and where each element lies in it.
public struct RawElements: Sendable {
    /// An element above `maxEventBytes`: its head is in the bytes, the rest stayed in Redis.
    public struct Oversize: Sendable, Hashable {
        /// The whole element's length in bytes.
        public var length: Int
        /// Of the whole element.
        public var digest: Digest
    }

    public private(set) var bytes: [UInt8] = []
    public private(set) var offsets: [UInt64] = []
    public private(set) var lengths: [UInt32] = []
    /// By place among these elements.
    public private(set) var oversize: [Int: Oversize] = [:]

    public init() {}

    public var count: Int { offsets.count }

    /// Makes room for elements of so many bytes together, and for what the parser wants behind them.
    public mutating func reserve(bytes: Int) { self.bytes.reserveCapacity(bytes + JSONTape.padding) }

    public mutating func append(_ element: UnsafeRawBufferPointer) {
        offsets.append(UInt64(bytes.count))
        lengths.append(UInt32(element.count))
        bytes.append(contentsOf: element)
    }

    /// Keeps the head of an element that is longer than `limit`, and appends any other whole.
    public mutating func append(_ element: UnsafeRawBufferPointer, limit: ByteCount) {
        guard element.count > limit.bytes else { return append(element) }
        oversize[count] = Oversize(length: element.count, digest: Digest(of: element))
        append(UnsafeRawBufferPointer(rebasing: element.prefix(StreamSettings.oversizeHead.bytes)))
    }

    /// Parses every element. Oversize heads parse too, and fail, which nobody looks at.
    public func parse() -> JSONTape { JSONTape(parsing: bytes, offsets: offsets, lengths: lengths) }
}
