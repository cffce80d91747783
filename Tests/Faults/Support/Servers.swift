import Foundation
import Testing
import Values

@testable import Sandbox

/// Where a test's Redis and MongoDB are.
struct Servers: Sendable {
    var redis: String
    var mongodb: String

    /// The run's shared sandbox, which no test may hurt: `MILLRACE_REDIS_URL` and `MILLRACE_MONGODB_URL`, or else
    /// the package's own sandbox, which is left running.
    static func shared() async throws -> Servers { try await run.value }

    private static let run = Task {
        let environment = ProcessInfo.processInfo.environment
        if let redis = environment["MILLRACE_REDIS_URL"], let mongodb = environment["MILLRACE_MONGODB_URL"] {
            return Servers(redis: redis, mongodb: mongodb)
        }
        return Servers(try await Sandbox(directory: Root.path(Sandbox.defaultDirectory)).up())
    }
}

extension Servers {
    init(_ endpoints: Sandbox.Endpoints) { self.init(redis: endpoints.redis, mongodb: endpoints.mongodb) }
}

/// Gives a suite servers that may be killed: Redis with `appendfsync always`, so that what a producer was told is there
/// is still there after a kill, and members that elect a new primary soon.
struct OwnSandbox: SuiteTrait, TestScoping {
    @TaskLocal private static var started: Sandbox?

    /// The suite's sandbox.
    static var current: Sandbox {
        get throws {
            guard let started else { throw Failure("the suite lacks the trait .ownSandbox") }
            return started
        }
    }

    func provideScope(for test: Test, testCase: Test.Case?, performing body: @Sendable () async throws -> Void) async throws {
        let directory = try Root.temporaryDirectory("sandbox")
        let sandbox = Sandbox(directory: directory.appending(path: "servers").path)
        let result: Result<Void, any Error>
        do {
            _ = try await sandbox.up(.init(appendfsync: .always, electionTimeoutMilliseconds: 2000))
            try await Self.$started.withValue(sandbox) { try await body() }
            result = .success(())
        } catch {
            result = .failure(error)
        }
        try await sandbox.down()
        try FileManager.default.removeItem(at: directory)
        try result.get()
    }
}

extension Trait where Self == OwnSandbox {
    static var ownSandbox: OwnSandbox { OwnSandbox() }
}

extension Sandbox {
    /// Ends a server as a power cut would, and waits until it is gone.
    func kill(_ server: Server) async throws {
        guard let pid = try pid(of: server) else { throw Failure("\(server) is not running") }
        Foundation.kill(pid, SIGKILL)
        try await until("\(server) is gone") { try self.pid(of: server) == nil }
    }

    func servers() throws -> Servers {
        guard let endpoints = try endpoints() else { throw Failure("the sandbox is not up") }
        return Servers(endpoints)
    }
}

/// One server of a test, started with settings of its own.
struct OwnServer {
    let port: Int
    private let child: Child
    private let directory: URL

    /// A redis-server with further settings.
    static func redis(_ settings: [String], _ body: (OwnServer, RedisProbe) async throws -> Void) async throws {
        try await run(Binary.find("redis-server", variable: "MILLRACE_REDIS_SERVER")) { port, directory in
            ["--port", "\(port)", "--bind", "127.0.0.1", "--save", "", "--dir", directory.path] + settings
        } ready: { server in
            let probe = try RedisProbe(url: "redis://127.0.0.1:\(server.port)")
            try await until("redis-server answers") { (try? await probe.call("PING")) != nil }
            try await body(server, probe)
        }
    }

    /// A mongod that is no member of a replica set.
    static func standaloneMongoDB(_ body: (OwnServer) async throws -> Void) async throws {
        try await run(Binary.find("mongod", variable: "MILLRACE_MONGOD")) { port, directory in
            ["--port", "\(port)", "--bind_ip", "127.0.0.1", "--dbpath", directory.path, "--wiredTigerCacheSizeGB", "0.25", "--nounixsocket"]
        } ready: { server in
            let probe = try MongoProbe(url: "mongodb://127.0.0.1:\(server.port)/?directConnection=true", database: "admin")
            try await until("mongod answers") { (try? await probe.command(["ping": 1])) != nil }
            try await body(server)
        }
    }

    private static func run(
        _ program: String, _ arguments: (Int, URL) -> [String], ready body: (OwnServer) async throws -> Void
    ) async throws {
        let directory = try Root.temporaryDirectory("server")
        defer { try? FileManager.default.removeItem(at: directory) }
        let data = directory.appending(path: "data")
        try FileManager.default.createDirectory(at: data, withIntermediateDirectories: true)
        let port = try Port.free()
        let server = OwnServer(port: port, child: try Child(program, arguments(port, data), files: directory), directory: directory)
        try await body(server)
        server.child.send(SIGKILL)
        _ = try await server.child.ended()
    }
}
