import Events
import Projector
import Testing

@testable import RedisBuffer

extension RedisSuite {
    @Suite struct CutTests {
        @Test func `a cut takes the whole list and counts itself`() async throws {
            try await TestRedis.run { redis in
                let buffer = redis.buffer()
                let run = try await buffer.token().run
                try await buffer.push(["a".element, "b".element])

                #expect(try await buffer.token() == BufferToken(run: run, cuts: 1))
                let reply = try await buffer.cut(epoch: 1, identity: "one")
                #expect(reply == .cut(Segment(identity: "one", length: 2, adopted: false), complete: BufferToken(run: run, cuts: 0)))
                #expect(try await redis.call("EXISTS", "events:{test}") == "0")
                #expect(try await redis.call("GET", "events:{test}:segment:id") == "one")
                #expect(try await redis.call("GET", "events:{test}:fence") == "1")
                #expect(try await redis.call("GET", "events:{test}:owner") == "here")
                #expect(try await buffer.token() == BufferToken(run: run, cuts: 1))
                try await buffer.push(["c".element])
                #expect(try await buffer.token() == BufferToken(run: run, cuts: 2))
            }
        }

        @Test func `a cut of nothing says that everything is complete`() async throws {
            try await TestRedis.run { redis in
                let buffer = redis.buffer()
                let run = try await buffer.token().run
                #expect(try await buffer.cut(epoch: 1, identity: "one") == .cut(nil, complete: BufferToken(run: run, cuts: 0)))
                try await buffer.push(["a".element])
                _ = try await buffer.cut(epoch: 1, identity: "two")
                #expect(try await buffer.release(epoch: 1, identity: "two", oversize: []) == .released)
                #expect(try await buffer.cut(epoch: 1, identity: "three") == .cut(nil, complete: BufferToken(run: run, cuts: 1)))
            }
        }

        @Test func `a segment that is there is resumed before the list is cut again`() async throws {
            try await TestRedis.run { redis in
                let first = redis.buffer()
                let second = redis.buffer()
                try await first.push(["a".element])
                _ = try await first.cut(epoch: 1, identity: "one")
                try await first.push(["b".element, "c".element])
                guard case .cut(let resumed, _) = try await second.cut(epoch: 2, identity: "two") else {
                    Issue.record("not cut")
                    return
                }
                #expect(resumed == Segment(identity: "one", length: 1, adopted: false))
                #expect(try await redis.call("GET", "events:{test}:cuts") == "1")
                #expect(try await redis.call("GET", "events:{test}:fence") == "2")
                #expect(try await second.release(epoch: 2, identity: "one", oversize: []) == .released)
                guard case .cut(let next, _) = try await second.cut(epoch: 2, identity: "three") else {
                    Issue.record("not cut")
                    return
                }
                #expect(next == Segment(identity: "three", length: 2, adopted: false))
            }
        }

        @Test func `a segment without an identity is adopted, and every later worker sees the mark`() async throws {
            try await TestRedis.run { redis in
                try await redis.call("RPUSH", "events:{test}:segment", "a", "b")
                for (worker, epoch) in [(redis.buffer(), Int64(1)), (redis.buffer(), 2)] {
                    guard case .cut(let segment, _) = try await worker.cut(epoch: epoch, identity: "id\(epoch)") else {
                        Issue.record("not cut")
                        return
                    }
                    #expect(segment == Segment(identity: "id1", length: 2, adopted: true))
                    #expect(try await worker.read(identity: "id1", from: 0, count: 2)?.count == 2)
                }
                #expect(try await redis.buffer().release(epoch: 2, identity: "id1", oversize: []) == .released)
                #expect(try await redis.call("KEYS", "*segment*") == "[0]")
            }
        }

        @Test func `an identity left over without its segment is replaced`() async throws {
            try await TestRedis.run { redis in
                try await redis.call("SET", "events:{test}:segment:id", "old")
                let buffer = redis.buffer()
                try await buffer.push(["a".element])
                guard case .cut(let segment, _) = try await buffer.cut(epoch: 1, identity: "new") else {
                    Issue.record("not cut")
                    return
                }
                #expect(segment == Segment(identity: "new", length: 1, adopted: false))
            }
        }

        @Test func `below the fence nothing is written`() async throws {
            try await TestRedis.run { redis in
                let buffer = redis.buffer()
                _ = try await buffer.cut(epoch: 7, identity: "one")
                try await buffer.push(["a".element])
                #expect(try await buffer.cut(epoch: 6, identity: "two") == .fenced(by: 7))
                #expect(try await redis.call("EXISTS", "events:{test}:segment") == "0")
                _ = try await buffer.cut(epoch: 7, identity: "three")
                #expect(try await buffer.release(epoch: 6, identity: "three", oversize: []) == .fenced(by: 7))
                #expect(try await redis.call("EXISTS", "events:{test}:segment") == "1")
            }
        }

        @Test func `a fence that was lost counts as zero, and is set again by every script`() async throws {
            try await TestRedis.run { redis in
                let buffer = redis.buffer()
                _ = try await buffer.cut(epoch: 7, identity: "one")
                try await redis.call("DEL", "events:{test}:fence")
                #expect(try await buffer.release(epoch: 5, identity: "none", oversize: []) == .gone)
                #expect(try await redis.call("GET", "events:{test}:fence") == "5")
                try await buffer.push(["a".element])
                _ = try await buffer.cut(epoch: 6, identity: "two")
                #expect(try await redis.call("GET", "events:{test}:fence") == "6")
                #expect(try await buffer.release(epoch: 8, identity: "two", oversize: []) == .released)
                #expect(try await redis.call("GET", "events:{test}:fence") == "8")
            }
        }

        @Test func `another installation's list is left alone`() async throws {
            try await TestRedis.run { redis in
                _ = try await redis.buffer().cut(epoch: 1, identity: "one")
                try await redis.call("RPUSH", "events:{test}", "a")
                let before = try await redis.call("GET", "events:{test}:fence")
                #expect(try await redis.buffer(installation: "there").cut(epoch: 9, identity: "two") == .foreign(owner: "here"))
                #expect(try await redis.call("GET", "events:{test}:fence") == before)
                #expect(try await redis.call("LLEN", "events:{test}") == "1")
                #expect(try await RedisServer(url: redis.url).owner(of: "events:{test}") == "here")
                #expect(try await RedisServer(url: redis.url).owner(of: "events:{other}") == nil)
            }
        }

        @Test func `an expiry that somebody set on the list does not delete the segment`() async throws {
            try await TestRedis.run { redis in
                try await redis.call("RPUSH", "events:{test}", "a")
                try await redis.call("PEXPIRE", "events:{test}", "100000")
                _ = try await redis.buffer().cut(epoch: 1, identity: "one")
                #expect(try await redis.call("TTL", "events:{test}:segment") == "-1")
            }
        }

        @Test(arguments: BufferKeys(list: "events:{test}").all)
        func `a key of another type is named before anything is written`(key: String) async throws {
            try await TestRedis.run { redis in
                try await redis.call("HSET", key, "a", "1")
                let error = await #expect(throws: RedisError.self) { try await redis.buffer().cut(epoch: 1, identity: "one") }
                #expect(error?.code == .wrongType)
                #expect(error?.problem == .wrongType)
                #expect(error?.isRetriable == false)
                #expect(error?.message.contains("\(key) is a hash") == true)
                #expect(try await redis.call("DBSIZE") == "1")
            }
        }

        @Test func `a count that is no number is named`() async throws {
            try await TestRedis.run { redis in
                try await redis.call("SET", "events:{test}:cuts", "many")
                let error = await #expect(throws: RedisError.self) { try await redis.buffer().token() }
                #expect(error?.message.contains("events:{test}:cuts is a text, expected a number") == true)
            }
        }
    }
}
