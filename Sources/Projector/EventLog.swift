import Events

/// What is logged, to be folded again.
///
/// Implementations throw a `StoreFailure`, or `ChunkError` where a stored chunk cannot be used.
public protocol LoggedChunks: Sendable {
    /// The chunks that hold the offsets from `offset` on, up to about `events` elements: fewer where they are large.
    func chunks(of partition: PartitionID, from offset: Int64, events: Int) async throws -> [Chunk]

    /// The next chunks that begin in the range and in which one of these keys occurs, in order: a few, and none at the end.
    /// For hundreds of keys, not for thousands.
    func chunks(of partition: PartitionID, withKeys keys: [String], _ offsets: Range<Int64>) async throws -> [Chunk]
}

/// The event log, as the ingest of a partition sees it: majority reads in one causally consistent session, and appends
/// that collide instead of overwriting.
public protocol EventLog: LoggedChunks {
    /// The log's end, and MongoDB's clock read with it.
    func tail(of partition: PartitionID) async throws -> LogTail

    /// The offset of the first chunk that a dedupe window with these bounds reaches back to from `tail`.
    func windowStart(of partition: PartitionID, tail: LogTail, bounds: DedupeWindow.Bounds) async throws -> Int64

    /// The digests of the next chunks from `offset` on and below `end`: a page of bounded size, empty at the end.
    func digests(of partition: PartitionID, from offset: Int64, below end: Int64) async throws -> [ChunkDigests]

    /// How much of a segment is in the log.
    func progress(of partition: PartitionID, segment identity: String) async throws -> SegmentProgress

    /// MongoDB's clock: milliseconds since 1970.
    func clock() async throws -> Int64

    /// Inserts the chunk with `w: majority`. A failure leaves the outcome unknown: read the tail again.
    func append(_ chunk: Chunk) async throws -> AppendReply
}

public struct LogTail: Hashable, Sendable {
    /// The next offset.
    public var offset: Int64
    public var totals: LogTotals
    /// Of the last chunk; 0 for an empty log.
    public var at: Int64
    public var age: Int64
    /// MongoDB's clock when the tail was read.
    public var now: Int64

    public init(offset: Int64, totals: LogTotals, at: Int64, age: Int64, now: Int64) {
        self.offset = offset
        self.totals = totals
        self.at = at
        self.age = age
        self.now = now
    }
}

public struct SegmentProgress: Hashable, Sendable {
    /// The raw index after the last one logged.
    public var end: Int64
    /// Raw indexes of its oversize elements.
    public var oversize: [Int64]

    public init(end: Int64 = 0, oversize: [Int64] = []) {
        self.end = end
        self.oversize = oversize
    }
}

public enum AppendReply: Hashable, Sendable {
    case appended
    /// Somebody else appended at this offset, or this part of the segment.
    case collision
}
