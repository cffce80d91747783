import Events
import Foundation
import RedisAddress
import Threads

@testable import RedisBuffer

/// A redis-server of one test, on a free port, and a client for it.
struct TestRedis: Sendable {
    let url: RedisURL
    let port: Int
    let pid: pid_t
    /// Holds its socket and its files.
    let directory: URL
    private let client: Client

    /// Runs `body` with a fresh server, and stops that server.
    static func run(_ settings: [String] = [], _ body: (TestRedis) async throws -> Void) async throws {
        let directory = FileManager.default.temporaryDirectory.appending(path: "redis-\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        let port = try freePort()
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments =
            ["redis-server", "--port", "\(port)", "--bind", "127.0.0.1", "--save", "", "--dir", directory.path]
            + ["--unixsocket", directory.appending(path: "socket").path] + settings
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        defer {
            kill(process.processIdentifier, SIGKILL)
            process.waitUntilExit()
        }
        let url = try RedisURL("redis://127.0.0.1:\(port)")
        let redis = TestRedis(url: url, port: port, pid: process.processIdentifier, directory: directory, client: Client(url: url))
        try await redis.waitUntilReady()
        try await body(redis)
    }

    func buffer(
        _ list: String = "events:{test}", installation: String = "here", maxEventBytes: ByteCount = .mebibytes(1),
        timeout: Duration = .seconds(10)
    ) -> RedisBuffer {
        RedisBuffer(url: url, list: list, installation: installation, maxEventBytes: maxEventBytes, timeout: timeout)
    }

    /// A command and its reply, written out: strings as they are, `(nil)`, numbers, arrays in brackets.
    @discardableResult
    func call(_ words: String...) async throws -> String {
        try await client.call(words)
    }

    private func waitUntilReady() async throws {
        let server = RedisServer(url: url)
        for _ in 0..<200 {
            do {
                return try await server.ping()
            } catch {
                try await Task.sleep(for: .milliseconds(20))
            }
        }
        try await server.ping()
    }

    static func freePort() throws -> Int {
        let socket = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(socket) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let status = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                bind(socket, pointer, size) | getsockname(socket, pointer, &size)
            }
        }
        guard status == 0 else { throw POSIXError(.EADDRINUSE) }
        return Int(UInt16(bigEndian: address.sin_port))
    }

    /// Blocking calls, so an actor with a thread of its own, like the buffer.
    private actor Client {
        nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }
        private let executor = ThreadExecutor(name: "test-redis")
        private var lane: RedisLane

        init(url: RedisURL) { lane = RedisLane(url: url, timeout: .seconds(60)) }

        func call(_ words: [String]) throws -> String {
            try lane.run("test") { connection throws(RedisError) in
                let reply = try connection.exchange([Command(words)]).replies[0]
                if let error = reply.error { throw RedisError(reply: error, operation: words[0]) }
                return reply.nodes.map { node in
                    switch node {
                    case .string(let range), .status(let range), .error(let range): reply.text(range)
                    case .integer(let value): "\(value)"
                    case .array(let count): "[\(count)]"
                    case .null: "(nil)"
                    }
                }.joined(separator: " ")
            }
        }
    }
}
