import Events

/// Goes through a partition's log from an offset on: each element once, page by page, up to an end that can be moved on.
///
/// It keeps nothing but where it is, so that it goes on after any failure.
public struct LogReader: Sendable {
    public let partition: PartitionID
    /// The offset after the last element that was taken.
    public private(set) var next: Int64
    /// The offset after the last one that is wanted.
    public private(set) var end: Int64
    private let key: String?
    private let log: any EventLog

    /// Elements of a page; a store gives fewer where they are large.
    private static let page = 20_000

    /// - Parameters:
    ///   - key: only chunks that have events of this key are read.
    ///   - offsets: what is wanted.
    public init(_ log: any EventLog, _ partition: PartitionID, key: String? = nil, _ offsets: Range<Int64>) {
        self.log = log
        self.partition = partition
        self.key = key
        next = offsets.lowerBound
        end = offsets.upperBound
    }

    /// The next chunks that hold wanted elements; none at the end.
    public mutating func chunks() async throws -> [Chunk] {
        guard next < end else { return [] }
        let chunks: [Chunk]
        if let key {
            chunks = try await log.chunks(of: partition, withKeys: [key], next..<end)
            // Between here and the end there is nothing of the key.
            if chunks.isEmpty { next = end }
        } else {
            chunks = try await log.chunks(of: partition, from: next, events: Self.page)
            guard let first = chunks.first, first.offset <= next else {
                throw Refusal(.logDamaged, "the log of \(partition) has nothing at offset \(next), below its end \(end): restore it from a backup")
            }
        }
        return chunks
    }

    /// Notes that a chunk was taken, up to an offset.
    public mutating func took(_ chunk: Chunk, upTo offset: Int64 = .max) { next = max(next, min(chunk.end, offset)) }

    /// Moves the end on to the log's. Throws a `Refusal` where the log ends before what was taken.
    public mutating func lookOn() async throws {
        let tail = try await log.tail(of: partition).offset
        guard tail >= next else {
            throw Refusal(.logDamaged, "the log of \(partition) ends at offset \(tail), and was read up to \(next): was it set back to an older state?")
        }
        end = tail
    }
}
