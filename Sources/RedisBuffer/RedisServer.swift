import RedisAddress
import Threads

/// Questions about a server as a whole, over a connection and a thread of their own, so that they never wait behind a
/// long read.
public actor RedisServer {
    public nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }
    private let executor = ThreadExecutor(name: "redis-server")
    private var lane: RedisLane

    /// - Parameter timeout: for connecting, and for each call.
    public init(url: RedisURL, timeout: Duration = .seconds(10)) {
        lane = RedisLane(url: url, timeout: timeout)
    }

    /// - Throws: a `RedisError` where no Redis answers.
    public func ping() throws {
        try lane.run("ping") { connection throws(RedisError) in _ = try connection.call(Command(["PING"])) }
    }

    /// What the server is, and whether it is safe to keep events in.
    public func inspect() throws -> ServerInspection {
        try lane.run("inspect") { connection throws(RedisError) in
            var reply = try connection.call(Command(["INFO"]))
            return ServerInspection(ServerInfo(try reply.text()))
        }
    }

    /// The installation that a list belongs to; nil before its first cut.
    public func owner(of list: String) throws -> String? {
        let key = BufferKeys(list: list).owner
        return try lane.run("GET \(key)") { connection throws(RedisError) in
            var reply = try connection.call(Command(["GET", key]))
            return try reply.textOrNull()
        }
    }
}
