/// A number of bytes.
public struct ByteCount: Hashable, Sendable, Comparable {
    public var bytes: Int

    public init(_ bytes: Int) { self.bytes = bytes }
    public static func kibibytes(_ count: Int) -> ByteCount { ByteCount(count << 10) }
    public static func mebibytes(_ count: Int) -> ByteCount { ByteCount(count << 20) }
    public static func < (left: ByteCount, right: ByteCount) -> Bool { left.bytes < right.bytes }
}

/// How one stream's elements become events, duplicates and chunks.
public struct StreamSettings: Hashable, Sendable {
    public var name: String
    /// The list of partition 0; the others' names are made from it.
    public var list: String
    public var partitions: Int = 1
    /// How elements are read from now on; those in the log are read as they were when they were logged.
    public var shape: EventShape = .plain
    public var key: KeySource = .envelope
    /// An id counts as a duplicate when it was logged at most this long ago, along the log …
    public var dedupeWindow: Duration = .seconds(3600)
    /// … and at most this many originals ago.
    public var dedupeEvents: Int = 2_000_000
    public var chunkEvents: Int = 5000
    public var chunkBytes: ByteCount = .mebibytes(4)
    public var maxEventBytes: ByteCount = .mebibytes(1)
    /// What was logged longer ago may be pruned; nil for never.
    public var retain: Duration?

    public init(name: String) {
        self.name = name
        list = "events:{\(name)}"
    }

    /// Limits of the settings. A chunk's raw bytes and its keys, which are among them, must fit into one MongoDB
    /// document of 16 MiB even when nothing compresses.
    public static let partitionRange = 1...4096
    public static let chunkEventsRange = 1...20_000
    public static let chunkBytesRange = ByteCount.kibibytes(64)...ByteCount.mebibytes(6)
    public static let maxEventBytesRange = ByteCount.kibibytes(1)...ByteCount.mebibytes(4)
    public static let dedupeEventsRange = 1...50_000_000
    public static let retainRange = Duration.seconds(60)...Duration.seconds(100 * 365 * 86400)
    public static let dedupeWindowRange = Duration.seconds(1)...Duration.seconds(30 * 86400)

    /// How far the dedupe window reaches back.
    public var dedupeBounds: DedupeWindow.Bounds { DedupeWindow.Bounds(age: Int64(dedupeWindow / .milliseconds(1)), originals: dedupeEvents) }

    /// What is kept of an element above `maxEventBytes`.
    public static let oversizeHead = ByteCount.kibibytes(64)

    /// The list of a partition: `events:{product}` for partition 0, `events:{product.3}` for partition 3. The hash tag
    /// keeps a list and the keys beside it in one slot of Redis Cluster.
    public func list(of partition: Int) -> String {
        guard partition > 0 else { return list }
        if let brace = list.lastIndex(of: "}") {
            return String(list[..<brace]) + ".\(partition)" + String(list[brace...])
        }
        return list + ".\(partition)"
    }
}

/// Where an event's key is found.
public enum KeySource: Hashable, Sendable {
    /// Where the format has it: the native envelope's `key`, say.
    case envelope
    /// A path into the event, such as `["data", "flightId"]`.
    case path([String])
    /// A path for each table of a source of row events; of the others, where the format has it.
    case tables([String: [String]])
}
