import RedisAddress
import RedisBuffer
import Threads

@testable import RedisBuffer

/// A second connection to Redis, by which a test looks at keys and changes them by hand. An actor with a thread of its
/// own, because the calls block.
actor RedisProbe {
    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }
    private let executor = ThreadExecutor(name: "redis-probe")
    private var lane: RedisLane

    init(url: String) throws {
        lane = RedisLane(url: try RedisURL(url), timeout: .seconds(20))
    }

    /// A command and its reply, written out: strings as they are, `(nil)`, numbers, arrays in brackets.
    @discardableResult
    func call(_ words: String...) throws -> String { try call(words) }

    @discardableResult
    func call(_ words: [String]) throws -> String {
        try exchange(Command(words)) { reply in
            reply.nodes.map { node in
                switch node {
                case .string(let range), .status(let range), .error(let range): reply.text(range)
                case .integer(let value): "\(value)"
                case .array(let count): "[\(count)]"
                case .null: "(nil)"
                }
            }.joined(separator: " ")
        }
    }

    /// The elements of a list, as bytes.
    func elements(of list: String) throws -> [[UInt8]] {
        try exchange(Command(["LRANGE", list, "0", "-1"])) { reply in
            reply.nodes.compactMap { node in
                if case .string(let range) = node { Array(reply.bytes[range]) } else { nil }
            }
        }
    }

    func exists(_ key: String) throws -> Bool { try call("EXISTS", key) == "1" }

    func length(of list: String) throws -> Int { Int(try call("LLEN", list)) ?? -1 }

    private func exchange<Result>(_ command: Command, _ body: (RedisReply) -> Result) throws -> Result {
        do {
            return try once(command, body)
        } catch  where error.code == .closed {
            // The server was killed since the last command, and has come back.
            return try once(command, body)
        }
    }

    private func once<Result>(_ command: Command, _ body: (RedisReply) -> Result) throws(RedisError) -> Result {
        try lane.run("probe") { connection throws(RedisError) in
            let reply = try connection.exchange([command]).replies[0]
            if let error = reply.error { throw RedisError(reply: error, operation: "probe") }
            return body(reply)
        }
    }
}
