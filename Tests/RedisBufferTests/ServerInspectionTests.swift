import Events
import Projector
import Testing

@testable import RedisBuffer

@Suite struct ServerInspectionTests {
    private func inspect(_ lines: String...) -> ServerInspection {
        var fields = [
            "redis_version": "7.0.15", "role": "master", "cluster_enabled": "0", "aof_enabled": "1", "maxmemory": "1000",
            "maxmemory_policy": "noeviction",
        ]
        for line in lines { fields[String(line.prefix { $0 != ":" })] = String(line.drop { $0 != ":" }.dropFirst()) }
        return ServerInspection(ServerInfo("# Server\r\n" + fields.map { "\($0):\($1)\r\n" }.joined()))
    }

    @Test func `a server as it should be`() {
        #expect(inspect().refusals.isEmpty)
        #expect(inspect().warnings.isEmpty)
    }

    @Test(arguments: [
        ("role:slave", "replica"), ("cluster_enabled:1", "cluster"), ("maxmemory_policy:allkeys-lru", "allkeys-lru"),
        ("maxmemory_policy:allkeys-random", "noeviction"), ("redis_version:4.0.14", "too old"),
    ])
    func `unsafe servers are refused in one line`(line: String, part: String) {
        let refusals = inspect(line).refusals
        #expect(refusals.count == 1)
        #expect(refusals.first?.problem == .unsafeServer)
        #expect(refusals.first?.message.contains(part) == true)
    }

    @Test func `a bridge needs a newer server than a drain`() {
        #expect(inspect().bridgeRefusal == nil)
        #expect(inspect("redis_version:6.2.14").refusals.isEmpty)
        #expect(inspect("redis_version:6.2.14").bridgeRefusal?.problem == .unsafeServer)
    }

    @Test(arguments: [
        ("maxmemory_policy:volatile-lru", "volatile-lru"), ("aof_enabled:0", "appendonly"), ("maxmemory:0", "maxmemory is 0"),
    ])
    func `what may lose events is warned of`(line: String, part: String) {
        #expect(inspect(line).refusals.isEmpty)
        #expect(inspect(line).warnings.count == 1)
        #expect(inspect(line).warnings.first?.contains(part) == true)
    }

    @Test func `a server that says little is taken as it is`() {
        let inspection = ServerInspection(ServerInfo("redis_version:255.1\r\naof_enabled:1\r\n"))
        #expect(inspection.refusals.isEmpty)
        #expect(inspection.warnings.isEmpty)
    }
}

extension RedisSuite {
    @Suite struct RealServerInspectionTests {
        @Test func `a server says what it is`() async throws {
            try await TestRedis.run(["--appendonly", "yes", "--maxmemory", "100mb"]) { redis in
                let server = RedisServer(url: redis.url)
                let inspection = try await server.inspect()
                #expect(inspection.refusals.isEmpty)
                #expect(inspection.warnings.isEmpty)
                let run = try await redis.buffer().token().run
                #expect(inspection.info.run == run)
                try await redis.call("CONFIG", "SET", "maxmemory-policy", "allkeys-lfu")
                try await redis.call("REPLICAOF", "127.0.0.1", "1")
                #expect(try await server.inspect().refusals.map(\.message).joined().contains("its primary, 127.0.0.1:1"))
                #expect(try await server.inspect().refusals.count == 2)
            }
        }
    }
}
