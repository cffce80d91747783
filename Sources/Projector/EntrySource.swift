import Events

/// Redis streams that a bridge moves onto lists, as one group of consumers.
///
/// Implementations throw a `StoreFailure`; after one, the next call starts on a fresh connection.
public protocol EntrySource: Sendable {
    /// Lets the group read a Redis stream, from its beginning unless it has read before.
    func join(_ source: String) async throws

    /// New entries of each Redis stream, in order, at most `count` of each. Waits for the first.
    func read(_ sources: [String], count: Int, wait: Duration) async throws -> [(source: String, entries: [SourceEntry])]

    /// The first entries that were read by anybody of the group, and not moved.
    func pending(_ source: String, count: Int) async throws -> PendingEntries

    /// Moves entries onto lists and acknowledges them: all of them, or none.
    ///
    /// - Parameter trim: removes them from the Redis stream, unless another group reads it too.
    func move(_ entries: [Arrival], from source: String, trim: Bool) async throws -> MoveReply
}

/// An entry of a Redis stream.
public struct SourceEntry: Hashable, Sendable {
    public var id: String
    public var message: SinkMessage

    public init(id: String, message: SinkMessage) {
        self.id = id
        self.message = message
    }
}

public struct PendingEntries: Hashable, Sendable {
    public var entries: [SourceEntry]
    /// Ids of entries that somebody else has removed before they were moved.
    public var gone: [String]

    public init(entries: [SourceEntry] = [], gone: [String] = []) {
        self.entries = entries
        self.gone = gone
    }
}

/// An entry as the element that it becomes on a list.
public struct Arrival: Hashable, Sendable {
    public var id: String
    public var list: String
    public var element: [UInt8]

    public init(id: String, list: String, element: [UInt8]) {
        self.id = id
        self.list = list
        self.element = element
    }
}

public enum MoveReply: Hashable, Sendable {
    /// `groups` read the Redis stream.
    case moved(groups: Int64)
    /// The group has entries pending that come before these, or somebody has moved these.
    case behind
}
