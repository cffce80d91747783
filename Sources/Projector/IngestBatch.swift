import Events

/// What one call of `Ingest.next` logged.
public struct IngestBatch: Sendable {
    public private(set) var chunks: [DecodedChunk] = []
    public private(set) var events = 0
    public private(set) var bytes = 0
    /// Nothing is waiting.
    public var isIdle = false
    /// Segments that somebody took elements from before they were logged.
    public var missing: [MissingElements] = []
    /// The fence in Redis, when it stands above the caller's epoch.
    public var fence: Int64?
    public var completeness: Completeness?
    /// The log's next offset, where it is known.
    public var tail: Int64?

    mutating func append(_ chunk: DecodedChunk) {
        chunks.append(chunk)
        events += chunk.chunk.count
        bytes += chunk.chunk.raw.count
    }
}

/// Elements that were cut, and were gone before they were logged.
public struct MissingElements: Hashable, Sendable {
    public var segment: Segment
    public var count: Int64
}

/// Rule 12: once a checkpoint has reached `offset`, everything cut up to `token` has taken effect.
public struct Completeness: Hashable, Sendable {
    public var token: BufferToken
    public var offset: Int64
}

/// How many elements to read at once: as many as stay near a chunk's bytes, by the sizes seen. It starts small and grows
/// by steps, so that a list of huge elements is noticed before many of them are asked for.
struct ReadSize {
    private(set) var count = 64
    private let events: Int
    private let bytes: Int

    init(_ settings: StreamSettings) {
        events = settings.chunkEvents
        bytes = settings.chunkBytes.bytes
    }

    mutating func learn(_ page: RawElements) {
        let heads = page.bytes.count
        let whole = page.oversize.values.reduce(0) { $0 + $1.length }
        let average = max(1, (heads + whole) / max(1, page.count))
        count = max(1, min(events, bytes / average, count * 8))
    }
}
