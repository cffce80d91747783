import Events

/// A log whose small chunks can be merged.
public protocol MergedLog: PrunedLog {
    /// How many elements the documents in a range hold, in order: a page, and none at the end.
    func sizes(of partition: PartitionID, _ offsets: Range<Int64>) async throws -> [ChunkSize]

    /// Merges the documents of a range into the first of them, as far as they have no more raw bytes than these and are read in
    /// the same way.
    func merge(_ partition: PartitionID, _ offsets: Range<Int64>, mostBytes: ByteCount) async throws -> MergedChunks
}

/// What a document of the log holds.
public struct ChunkSize: Hashable, Sendable {
    public var offset: Int64
    public var count: Int
    public var end: Int64 { offset + Int64(count) }
    /// How many chunks are merged in it.
    public var chunks: Int

    public init(offset: Int64, count: Int, chunks: Int = 1) {
        self.offset = offset
        self.count = count
        self.chunks = chunks
    }
}

public struct MergedChunks: Hashable, Sendable {
    /// How many documents were merged into the first.
    public var chunks: Int64
    /// The offset after the last one that was looked at.
    public var end: Int64

    public init(chunks: Int64, end: Int64) {
        self.chunks = chunks
        self.end = end
    }
}

/// Merges the small chunks of a partition's log, as a stream with little traffic makes them: reading the log then takes as long
/// as reading what is in it. Nothing is lost, no offset moves, and whoever reads meanwhile finds everything.
public struct LogMerge: Sendable {
    private let log: any MergedLog

    /// Chunks of one document: each keeps its head there.
    static let mostChunks = 1000

    public init(_ log: any MergedLog) { self.log = log }

    /// Returns how many documents were merged into others. The last chunk stays as it is, and so does what the dedupe window
    /// reaches back to: whoever takes the partition over reads that.
    public func run(_ partition: PartitionID, settings: StreamSettings) async throws -> Int64 {
        let tail = try await log.tail(of: partition)
        guard tail.offset > 0 else { return 0 }
        let window = try await log.windowStart(of: partition, tail: tail, bounds: settings.dedupeBounds)
        let end = min(try await log.boundary(of: partition, at: window), try await log.boundary(of: partition, at: tail.offset - 1))
        var next = try await log.start(of: partition)
        var merged: Int64 = 0
        while next < end {
            let sizes = try await log.sizes(of: partition, next..<end)
            guard let last = sizes.last else { break }
            guard let run = Self.run(in: sizes, most: settings.chunkEvents) else {
                next = last.end
                continue
            }
            let done = try await log.merge(partition, run, mostBytes: settings.chunkBytes)
            CrashPoint.chunksMerged.reached()
            merged += done.chunks
            next = done.end
            try Task.checkCancellation()
        }
        return merged
    }

    /// The first documents in a row that come to no more elements than these together. One that has half of them is left as it is:
    /// so none is written over and over again.
    static func run(in sizes: [ChunkSize], most: Int) -> Range<Int64>? {
        var start: ChunkSize?
        var (count, chunks) = (0, 0)
        var end: Int64 = 0
        for size in sizes {
            let isSmall = size.count <= most / 2
            if start != nil, isSmall, count + size.count <= most, chunks + size.chunks <= mostChunks {
                (count, chunks, end) = (count + size.count, chunks + size.chunks, size.end)
                continue
            }
            if let start, start.end < end { return start.offset..<end }
            start = isSmall ? size : nil
            (count, chunks, end) = (size.count, size.chunks, size.end)
        }
        guard let start, start.end < end else { return nil }
        return start.offset..<end
    }
}
