import Events
import Foundation
import Projector
import RedisAddress
import Testing

@testable import RedisBuffer

extension RedisSuite {
    @Suite struct ConnectionTests {
        @Test func `scripts survive SCRIPT FLUSH`() async throws {
            try await TestRedis.run { redis in
                let buffer = redis.buffer()
                for epoch in Int64(1)...3 {
                    try await buffer.push(["a".element])
                    guard case .cut(let segment?, _) = try await buffer.cut(epoch: epoch, identity: "\(epoch)") else {
                        Issue.record("not cut")
                        return
                    }
                    try await redis.call("SCRIPT", "FLUSH")
                    #expect(try await buffer.release(epoch: epoch, identity: segment.identity, oversize: []) == .released)
                }
                // Known by the digest of their text: the last cut ran without sending it.
                let stats = try await redis.call("INFO", "commandstats")
                #expect(stats.contains("cmdstat_evalsha:calls=6"))
            }
        }

        @Test func `after a killed connection the next call has a fresh one`() async throws {
            try await TestRedis.run { redis in
                let buffer = redis.buffer()
                _ = try await buffer.token()
                try await redis.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
                let error = await #expect(throws: RedisError.self) { try await buffer.token() }
                #expect(error?.code == .closed)
                #expect(error?.problem == .outcomeUnknown)
                #expect(error?.isRetriable == true)
                _ = try await buffer.token()
            }
        }

        @Test func `a server that does not answer is given up in time, and its late answer belongs to nobody`() async throws {
            try await TestRedis.run { redis in
                let buffer = redis.buffer(timeout: .milliseconds(300))
                try await buffer.push(["a".element])
                // Long enough for both calls, however busy the machine is.
                try await redis.call("CLIENT", "PAUSE", "5000", "ALL")
                let start = ContinuousClock.now
                let error = await #expect(throws: RedisError.self) { try await buffer.waiting() }
                #expect(error?.code == .timeout)
                #expect((.milliseconds(300) ..< .seconds(5)).contains(ContinuousClock.now - start))
                let connecting = await #expect(throws: RedisError.self) { try await buffer.token() }
                #expect(connecting?.code == .unreachable)
                // The pause cannot be taken back: that command would be paused, too.
                var token: BufferToken?
                while token == nil, ContinuousClock.now - start < .seconds(30) { token = try? await buffer.token() }
                #expect(token?.cuts == 1)
                #expect(try await buffer.waiting().waiting == 1)
            }
        }

        @Test func `a server that drips bytes is given up in time`() async throws {
            let server = try ScriptedServer { client in
                client.send("+OK\r\n")
                client.send("$1000\r\n")
                while client.send("x") { usleep(20_000) }
            }
            let error = await #expect(throws: RedisError.self) {
                try await RedisServer(url: server.url, timeout: .milliseconds(300)).ping()
            }
            #expect(error?.code == .timeout)
        }

        @Test(arguments: [
            ("HTTP/1.1 400 Bad Request\r\n\r\n", RedisError.Code.unreachable),
            ("+OK\r\n:1", .closed),
            ("+OK\r\n*99999999999\r\n", .unexpectedReply),
            ("+OK\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n", .unexpectedReply),
            ("+OK\r\n:1\r\n", .unexpectedReply),
            ("+OK\r\n*0\r\n", .unexpectedReply),
            ("+OK\r\n*2\r\n$4\r\nkind\r\n-LOADING Redis is loading\r\n", .loading),
        ])
        func `what is not Redis is an error, not a crash`(answer: String, code: RedisError.Code) async throws {
            let server = try ScriptedServer { client in
                client.send(answer)
                client.hangUp()
            }
            let buffer = RedisBuffer(url: server.url, list: "l", installation: "here", maxEventBytes: .mebibytes(1))
            let error = await #expect(throws: RedisError.self) { try await buffer.token() }
            #expect(error?.code == code, "\(String(describing: error))")
        }

        @Test func `nobody at the address`() async throws {
            let port = try TestRedis.freePort()
            let url = try RedisURL("redis://user:secret@127.0.0.1:\(port)")
            let error = await #expect(throws: RedisError.self) { try await RedisServer(url: url).ping() }
            #expect(error?.problem == .serverUnreachable)
            #expect(error?.isRetriable == true)
            #expect(error?.message.contains("Connection refused") == true)
            #expect(error?.description.contains("secret") == false)
        }

        @Test func `user, password, database and socket`() async throws {
            try await TestRedis.run { redis in
                try await redis.call("ACL", "SETUSER", "worker", "on", ">p@ss word/1", "~*", "+@all")
                let good = try RedisURL("redis://worker:p%40ss%20word%2F1@localhost:\(redis.port)/3")
                let buffer = RedisBuffer(url: good, list: "l", installation: "here", maxEventBytes: .mebibytes(1))
                try await buffer.push(["a".element])
                #expect(try await redis.call("INFO", "keyspace").contains("db3:keys=1"))
                #expect(try await redis.call("CLIENT", "LIST").contains("name=millrace"))

                let wrong = try RedisURL("redis://worker:wrong@localhost:\(redis.port)")
                let refused = await #expect(throws: RedisError.self) { try await RedisServer(url: wrong).ping() }
                #expect(refused?.code == .wrongPassword)
                #expect(refused?.isRetriable == false)

                let socket = try RedisURL("unix://worker:p%40ss%20word%2F1@\(redis.directory.path)/socket?db=3")
                let other = RedisBuffer(url: socket, list: "l", installation: "here", maxEventBytes: .mebibytes(1))
                #expect(try await other.waiting().waiting == 1)

                let database = try RedisURL("redis://localhost:\(redis.port)/99")
                let missing = await #expect(throws: RedisError.self) { try await RedisServer(url: database).ping() }
                #expect(missing?.isRetriable == false)
                #expect(missing?.problem == .badConfiguration)

                try await redis.call("CONFIG", "SET", "requirepass", "secret")
                let none = await #expect(throws: RedisError.self) { try await RedisServer(url: redis.url).ping() }
                #expect(none?.code == .noPassword)
                #expect(none?.isRetriable == false)
            }
        }

        /// To a command of so many words as a script's, Redis says "Protocol error: unauthenticated multibulk length", which
        /// was taken for something that passes.
        @Test func `a password that is set while a worker runs is asked for in so many words`() async throws {
            try await TestRedis.run { redis in
                let buffer = redis.buffer()
                _ = try await buffer.cut(epoch: 1, identity: "one")
                try await redis.call("CONFIG", "SET", "requirepass", "secret")
                try await redis.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
                _ = await #expect(throws: RedisError.self) { try await buffer.cut(epoch: 1, identity: "two") }
                let error = await #expect(throws: RedisError.self) { try await buffer.cut(epoch: 1, identity: "three") }
                #expect(error?.code == .noPassword)
                #expect(error?.isRetriable == false)
                #expect(error?.message.contains("put the password into the URL") == true)
            }
        }

        @Test func `the documented rights are enough`() async throws {
            try await TestRedis.run { redis in
                let rights = "+evalsha +eval +type +get +set +incr +exists +persist +renamenx +unlink +llen +lrange +lindex +rpush +info +ping"
                try await redis.call("ACL", "SETUSER", "worker", "on", ">x", "~events:*")
                for right in rights.split(separator: " ") { try await redis.call("ACL", "SETUSER", "worker", String(right)) }
                let url = try RedisURL("redis://worker:x@127.0.0.1:\(redis.port)")
                let buffer = RedisBuffer(url: url, list: "events:{test}", installation: "here", maxEventBytes: .mebibytes(1))
                try await buffer.push(["a".element, "b".element])
                _ = try await buffer.cut(epoch: 1, identity: "one")
                #expect(try await buffer.read(identity: "one", from: 0, count: 2)?.count == 2)
                #expect(try await buffer.waiting().inSegment == 2)
                #expect(try await buffer.release(epoch: 1, identity: "one", oversize: [1]) == .released)
                #expect(try await buffer.token().cuts == 1)
                let server = RedisServer(url: url)
                try await server.ping()
                #expect(try await server.inspect().refusals.isEmpty)
                #expect(try await server.owner(of: "events:{test}") == "here")
            }
        }

        @Test func `a user without a right is told which`() async throws {
            try await TestRedis.run { redis in
                try await redis.call("ACL", "SETUSER", "producer", "on", ">x", "~events:*", "+rpush", "+ping")
                let url = try RedisURL("redis://producer:x@127.0.0.1:\(redis.port)")
                let buffer = RedisBuffer(url: url, list: "events:{test}", installation: "here", maxEventBytes: .mebibytes(1))
                let error = await #expect(throws: RedisError.self) { try await buffer.cut(epoch: 1, identity: "one") }
                #expect(error?.code == .noPermission)
                #expect(error?.isRetriable == false)
                #expect(error?.message.contains("evalsha") == true)
                try await buffer.push(["a".element])
            }
        }
    }
}
