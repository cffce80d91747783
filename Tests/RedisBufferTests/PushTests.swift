import Events
import Testing

@testable import RedisBuffer

extension RedisSuite {
    @Suite struct PushTests {
        @Test func `elements arrive in order, in commands of bounded size`() async throws {
            try await TestRedis.run { redis in
                let buffer = redis.buffer()
                let small = (0..<30_000).map { "\($0)".element }
                let large = (0..<5).map { [UInt8](repeating: UInt8(65 + $0), count: 700_000) }
                #expect(try await buffer.push(small + large) == 30_005)
                #expect(try await buffer.push([]) == 30_005)
                #expect(try await redis.call("LINDEX", "events:{test}", "29999") == "29999")
                _ = try await buffer.cut(epoch: 1, identity: "one")
                let page = try await buffer.read(identity: "one", from: 0, count: 30_005)
                #expect(page?.bytes == (small + large).flatMap(\.self))
            }
        }

        @Test func `an element of 100 MB goes through in good time`() async throws {
            try await TestRedis.run { redis in
                let element = [UInt8](repeating: 65, count: 100 << 20)
                let start = ContinuousClock.now
                let length = try await redis.buffer().push([element])
                #expect(length == 1)
                // Not seconds: nothing is moved about between two writes.
                #expect(ContinuousClock.now - start < .seconds(20))
            }
        }

        @Test func `a push that is refused on the way says how far it came`() async throws {
            try await TestRedis.run(["--maxmemory", "8mb"]) { redis in
                let elements = (0..<40).map { _ in [UInt8](repeating: 65, count: 600_000) }
                let error = await #expect(throws: RedisError.self) { try await redis.buffer().push(elements) }
                #expect(error?.code == .outOfMemory)
                let length = try await redis.call("LLEN", "events:{test}")
                #expect(error?.message.contains("\(length) of 40 elements were pushed before") == true)
                #expect(length != "0")
            }
        }
    }
}
