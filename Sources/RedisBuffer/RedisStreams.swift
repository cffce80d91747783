import Events
import Projector
import RedisAddress
import Threads

/// Redis streams as one group of consumers reads them, over a connection and a thread of its own.
///
/// A Redis user for it needs the streams' keys and the lists' (`~events:*`), and `+evalsha +eval +type +xgroup +xreadgroup
/// +xautoclaim +xpending +xinfo +xack +xdel +rpush`.
public actor RedisStreams: EntrySource {
    /// Who reads is of no importance, because whoever reads may move what another has read: one name for all does not leave
    /// those of dead ones behind.
    private static let consumer = "millrace"

    public nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }
    private let executor = ThreadExecutor(name: "redis-streams")
    private let group: String
    private var lane: RedisLane

    /// - Parameter timeout: for connecting, and for each call; longer than any wait for new entries.
    public init(url: RedisURL, group: String, timeout: Duration = .seconds(10)) {
        self.group = group
        lane = RedisLane(url: url, timeout: timeout)
    }

    public func join(_ source: String) throws {
        try lane.run("join \(source)") { connection throws(RedisError) in
            let reply = try connection.exchange([Command(["XGROUP", "CREATE", source, group, "0", "MKSTREAM"])]).replies[0]
            guard let error = reply.error, !error.hasPrefix(RedisError.Code.groupExists.rawValue) else { return }
            _ = try connection.reader(reply)
        }
    }

    public func read(_ sources: [String], count: Int, wait: Duration) throws -> [(source: String, entries: [SourceEntry])] {
        try lane.run("read \(sources.joined(separator: ", "))") { connection throws(RedisError) in
            let milliseconds = max(1, Int(wait / .milliseconds(1)))
            let words = ["XREADGROUP", "GROUP", group, Self.consumer, "COUNT", "\(count)", "BLOCK", "\(milliseconds)", "STREAMS"]
            var reply = try connection.call(Command(words + sources + sources.map { _ in ">" }))
            var read: [(String, [SourceEntry])] = []
            for _ in 0..<(try reply.arrayOrNull() ?? 0) {
                _ = try reply.array()
                read.append((try reply.text(), try Self.entries(&reply)))
            }
            return read
        }
    }

    public func pending(_ source: String, count: Int) throws -> PendingEntries {
        try lane.run("claim from \(source)") { connection throws(RedisError) in
            var reply = try connection.call(Command(["XAUTOCLAIM", source, group, Self.consumer, "0", "0-0", "COUNT", "\(count)"]))
            _ = try reply.array()
            _ = try reply.text()
            var pending = PendingEntries(entries: try Self.entries(&reply))
            for _ in 0..<(try reply.array()) { pending.gone.append(try reply.text()) }
            return pending
        }
    }

    public func move(_ entries: [Arrival], from source: String, trim: Bool) throws -> MoveReply {
        let lists = Set(entries.map(\.list)).sorted()
        // The stream is the first key, so that the lists begin with the second.
        let numbers = Dictionary(uniqueKeysWithValues: zip(lists, 2...))
        let values = entries.flatMap { [Array($0.id.utf8), Array("\(numbers[$0.list] ?? 0)".utf8), $0.element] }
        return try lane.run("move from \(source)") { connection throws(RedisError) in
            var reply = try connection.evaluate(
                .move, keys: [source] + lists, arguments: [group, trim ? "trim" : "keep", "\(entries.count)"], values: values)
            _ = try reply.array()
            switch try reply.text() {
            case "moved": return .moved(groups: try reply.integer())
            case "behind": return .behind
            case "wrong-type":
                let (key, found) = (try reply.text(), try reply.text())
                throw RedisError(.wrongType, operation: connection.operation, message: "\(key) is a \(found), expected a list")
            default: throw reply.unexpected("an outcome of the move")
            }
        }
    }

    /// An array of entries: each an id, and names and values in turn.
    private static func entries(_ reply: inout ReplyReader) throws(RedisError) -> [SourceEntry] {
        var entries: [SourceEntry] = []
        for _ in 0..<(try reply.array()) {
            _ = try reply.array()
            let id = try reply.text()
            var fields: [SinkMessage.Field] = []
            for _ in 0..<(try reply.array() / 2) { fields.append(SinkMessage.Field(try reply.bytes(), try reply.bytes())) }
            entries.append(SourceEntry(id: id, message: SinkMessage(fields)))
        }
        return entries
    }
}
