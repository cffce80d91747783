import Events
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

    /// Why an installation may not cut a list: it belongs to another.
    public func refusal(of list: String, installation: String) throws -> Refusal? {
        guard let owner = try owner(of: list), owner != installation else { return nil }
        return Refusal(
            .otherInstallation,
            "the list \(list) belongs to the installation \(owner), and this is \(installation): give each installation lists of its "
                + "own, or delete \(list):owner if that one is gone"
        )
    }

    /// The keys of a list that hold something else than Millrace keeps there.
    public func wrongTypes(of list: String) throws -> [Refusal] {
        let keys = BufferKeys(list: list)
        return try lane.run("TYPE \(list)") { connection throws(RedisError) in
            var found: [Refusal] = []
            for key in keys.all {
                var reply = try connection.call(Command(["TYPE", key]))
                let (type, expected) = (try reply.text(), keys.lists.contains(key) ? "list" : "string")
                guard type != "none", type != expected else { continue }
                found.append(Refusal(.wrongType, "the key \(key) holds a \(type), and Millrace keeps a \(expected) there: move or delete it"))
            }
            return found
        }
    }
}
