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
