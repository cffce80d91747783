import Events

/// One list in Redis and the segment cut from it.
///
/// Implementations throw a `StoreFailure`; after one, the next call starts on a fresh connection.
public protocol SegmentBuffer: Sendable {
    /// The list's name, for messages.
    var list: String { get }

    /// Takes the whole list in one step, or resumes the segment that is there. Lifts the fence to `epoch`.
    /// `identity` is a fresh UUID, which the segment gets if this call makes it.
    func cut(epoch: Int64, identity: String) async throws -> CutReply

    /// Elements `from ..< from + count` of the segment, with oversize ones cut to their head; nil when the segment
    /// there is another, or has fewer elements.
    func read(identity: String, from: Int64, count: Int) async throws -> RawElements?

    /// Removes the segment if it is still this one and the fence is not above `epoch`, moving its oversize elements
    /// (by index) to `L:oversize`.
    func release(epoch: Int64, identity: String, oversize: [Int64]) async throws -> ReleaseReply

    /// What must be complete for everything pushed so far to be applied (rule 11).
    func token() async throws -> BufferToken

    /// How much is waiting.
    func waiting() async throws -> BufferState
}

public struct Segment: Hashable, Sendable {
    public var identity: String
    public var length: Int64
    /// Found without an identity, as after Redis went back to an older state: its elements may be in the log already.
    public var adopted: Bool

    public init(identity: String, length: Int64, adopted: Bool) {
        self.identity = identity
        self.length = length
        self.adopted = adopted
    }
}

public enum CutReply: Hashable, Sendable {
    /// The fence stands above the caller's epoch.
    case fenced(by: Int64)
    /// The list belongs to another installation.
    case foreign(owner: String)
    /// Done. `complete` is what is complete once everything in the log now has been applied (rule 12).
    case cut(Segment?, complete: BufferToken)
}

public enum ReleaseReply: Hashable, Sendable {
    case released
    case fenced(by: Int64)
    /// The segment there is another, or none.
    case gone
}

/// A count of cuts within one run of the Redis server.
public struct BufferToken: Hashable, Sendable {
    public var run: String
    public var cuts: Int64

    public init(run: String, cuts: Int64) {
        self.run = run
        self.cuts = cuts
    }
}

public struct BufferState: Hashable, Sendable {
    /// Elements in the list.
    public var waiting: Int64
    /// Elements in the segment.
    public var inSegment: Int64
    /// Elements in `L:oversize`.
    public var oversize: Int64
    /// The head of the oldest element waiting or in the segment, if any.
    public var oldest: [UInt8]?

    public init(waiting: Int64, inSegment: Int64, oversize: Int64, oldest: [UInt8]?) {
        self.waiting = waiting
        self.inSegment = inSegment
        self.oversize = oversize
        self.oldest = oldest
    }
}
