import Events
import Projector
import Testing

@testable import RedisBuffer

extension RedisSuite {
    /// The drain must go on when Redis is at maxmemory: it is what frees memory.
    @Suite struct FullRedisTests {
        /// Enough elements to matter, and then no memory for anything more.
        private func fill(_ redis: TestRedis, _ buffer: RedisBuffer) async throws {
            try await buffer.push((0..<2000).map { "element \($0) \(String(repeating: "x", count: 500))".element })
            try await redis.call("CONFIG", "SET", "maxmemory", "1mb")
            let error = await #expect(throws: RedisError.self) { try await buffer.push(["more".element]) }
            #expect(error?.code == .outOfMemory)
            #expect(error?.isRetriable == true)
        }

        @Test func `the first cut of all, a read and the release work`() async throws {
            try await TestRedis.run { redis in
                let buffer = redis.buffer()
                try await fill(redis, buffer)
                guard case .cut(let segment, _) = try await buffer.cut(epoch: 3, identity: "one") else {
                    Issue.record("not cut")
                    return
                }
                #expect(segment == Segment(identity: "one", length: 2000, adopted: false))
                for key in ["fence", "owner", "cuts", "segment:id"] {
                    #expect(try await redis.call("EXISTS", "events:{test}:\(key)") == "1", "\(key)")
                }
                #expect(try await buffer.read(identity: "one", from: 0, count: 2000)?.count == 2000)
                #expect(try await buffer.waiting().inSegment == 2000)
                #expect(try await buffer.token().cuts == 1)
                #expect(try await buffer.release(epoch: 3, identity: "one", oversize: [1999]) == .released)
                #expect(try await redis.call("LLEN", "events:{test}:oversize") == "1")
            }
        }

        @Test func `a segment is resumed and adopted`() async throws {
            try await TestRedis.run { redis in
                let buffer = redis.buffer()
                try await fill(redis, buffer)
                try await redis.call("RENAME", "events:{test}", "events:{test}:segment")
                guard case .cut(let segment, _) = try await buffer.cut(epoch: 3, identity: "one") else {
                    Issue.record("not cut")
                    return
                }
                #expect(segment?.adopted == true)
                #expect(try await redis.call("GET", "events:{test}:fence") == "3")
            }
        }

        @Test func `a cut with nothing to do lifts the fence all the same`() async throws {
            try await TestRedis.run { redis in
                let buffer = redis.buffer("events:{other}")
                try await fill(redis, redis.buffer())
                guard case .cut(nil, _) = try await buffer.cut(epoch: 4, identity: "one") else {
                    Issue.record("not cut")
                    return
                }
                #expect(try await redis.call("GET", "events:{other}:fence") == "4")
                #expect(try await buffer.release(epoch: 5, identity: "one", oversize: []) == .gone)
                #expect(try await redis.call("GET", "events:{other}:fence") == "5")
            }
        }
    }
}
