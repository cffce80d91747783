import Projector
import Testing

@testable import RedisBuffer

extension RedisSuite {
    @Suite struct ReleaseTests {
        @Test func `release moves the oversize elements and removes the rest`() async throws {
            try await TestRedis.run { redis in
                let buffer = redis.buffer()
                try await buffer.push(["a", "LARGE 1", "c", "LARGE 2"].map(\.element))
                _ = try await buffer.cut(epoch: 1, identity: "one")
                #expect(try await buffer.release(epoch: 1, identity: "one", oversize: [1, 3]) == .released)
                #expect(try await redis.call("LRANGE", "events:{test}:oversize", "0", "-1") == "[2] LARGE 1 LARGE 2")
                #expect(try await redis.call("KEYS", "*segment*") == "[0]")
                #expect(try await buffer.release(epoch: 1, identity: "one", oversize: [1, 3]) == .gone)
                #expect(try await redis.call("LLEN", "events:{test}:oversize") == "2")
            }
        }

        @Test func `another worker's segment stays`() async throws {
            try await TestRedis.run { redis in
                let buffer = redis.buffer()
                try await buffer.push(["a".element])
                _ = try await buffer.cut(epoch: 1, identity: "one")
                #expect(try await buffer.release(epoch: 1, identity: "two", oversize: [0]) == .gone)
                #expect(try await redis.call("LLEN", "events:{test}:segment") == "1")
                #expect(try await redis.call("EXISTS", "events:{test}:oversize") == "0")
            }
        }

        @Test func `nothing is removed while the oversize elements have no place`() async throws {
            try await TestRedis.run { redis in
                let buffer = redis.buffer()
                try await buffer.push(["a".element])
                _ = try await buffer.cut(epoch: 1, identity: "one")
                try await redis.call("SET", "events:{test}:oversize", "in the way")
                let error = await #expect(throws: RedisError.self) {
                    try await buffer.release(epoch: 1, identity: "one", oversize: [0])
                }
                #expect(error?.code == .wrongType)
                #expect(error?.description.contains("events:{test}:oversize is a string, expected a list") == true)
                #expect(try await redis.call("LLEN", "events:{test}:segment") == "1")
            }
        }

        @Test func `what is waiting is counted in one moment, with the oldest element`() async throws {
            try await TestRedis.run { redis in
                let buffer = redis.buffer()
                #expect(try await buffer.waiting() == BufferState(waiting: 0, inSegment: 0, oversize: 0, oldest: nil))
                try await buffer.push(["first".element, "second".element])
                #expect(try await buffer.waiting() == BufferState(waiting: 2, inSegment: 0, oversize: 0, oldest: "first".element))
                _ = try await buffer.cut(epoch: 1, identity: "one")
                try await buffer.push(["third".element])
                try await redis.call("RPUSH", "events:{test}:oversize", "large")
                #expect(try await buffer.waiting() == BufferState(waiting: 1, inSegment: 2, oversize: 1, oldest: "first".element))
            }
        }
    }
}
