import Events
import Projector
import Testing
import Values

@testable import RedisBuffer

extension RedisSuite {
    @Suite struct ReadTests {
        private func texts(_ elements: RawElements?) -> [String]? {
            elements.map { elements in
                (0..<elements.count).map { place in
                    let start = Int(elements.offsets[place])
                    return String(decoding: elements.bytes[start..<start + Int(elements.lengths[place])], as: UTF8.self)
                }
            }
        }

        @Test func `a page is read as it is, whatever its bytes`() async throws {
            try await TestRedis.run { redis in
                let buffer = redis.buffer()
                let all: [[UInt8]] = ["{}".element, [], [0, 13, 10, 255], "%s %d".element, Array(repeating: 65, count: 70_000)]
                try await buffer.push(all)
                _ = try await buffer.cut(epoch: 1, identity: "one")
                let page = try #require(try await buffer.read(identity: "one", from: 0, count: 5))
                #expect(page.lengths.map(Int.init) == all.map(\.count))
                #expect(page.bytes == all.flatMap(\.self))
                #expect(texts(try await buffer.read(identity: "one", from: 3, count: 1)) == ["%s %d"])
            }
        }

        @Test func `many pages are read on one connection`() async throws {
            try await TestRedis.run { redis in
                let buffer = redis.buffer()
                let all = (0..<25_000).map { "\($0) \(String(repeating: "x", count: $0 % 400))" }
                #expect(try await buffer.push(all.map(\.element)) == 25_000)
                _ = try await buffer.cut(epoch: 1, identity: "one")
                let connections = try await redis.call("INFO", "stats")
                var found: [String] = []
                for from in stride(from: 0, to: 25_000, by: 5000) {
                    found += texts(try await buffer.read(identity: "one", from: Int64(from), count: 5000)) ?? []
                }
                #expect(found == all)
                let after = ServerInfo(try await redis.call("INFO", "stats"))
                #expect(after["total_connections_received"] == ServerInfo(connections)["total_connections_received"])
            }
        }

        @Test func `another identity, or too few elements, are nothing`() async throws {
            try await TestRedis.run { redis in
                let buffer = redis.buffer()
                #expect(try await buffer.read(identity: "one", from: 0, count: 1) == nil)
                try await buffer.push(["a".element, "b".element])
                _ = try await buffer.cut(epoch: 1, identity: "one")
                #expect(try await buffer.read(identity: "two", from: 0, count: 2) == nil)
                #expect(try await buffer.read(identity: "one", from: 0, count: 3) == nil)
                #expect(try await buffer.read(identity: "one", from: 2, count: 1) == nil)
                #expect(texts(try await buffer.read(identity: "one", from: 0, count: 2)) == ["a", "b"])
                try await redis.call("SET", "events:{test}:segment:id", "one:adopted")
                #expect(texts(try await buffer.read(identity: "one", from: 1, count: 1)) == ["b"])
            }
        }

        @Test func `an element above the limit is cut to its head`() async throws {
            try await TestRedis.run { redis in
                let buffer = redis.buffer(maxEventBytes: .kibibytes(128))
                let large = Array("0123456789abcdef".utf8)
                let just = [UInt8](repeating: 66, count: 128 << 10)
                let over = Array(repeatElement(large, count: (128 << 10) / 16 + 1).joined())
                try await buffer.push(["a".element, just, over, "z".element])
                _ = try await buffer.cut(epoch: 1, identity: "one")
                let page = try #require(try await buffer.read(identity: "one", from: 0, count: 4))
                #expect(page.lengths == [1, 128 << 10, 64 << 10, 1])
                #expect(page.oversize.keys.map(\.self) == [2])
                #expect(page.oversize[2]?.length == over.count)
                #expect(page.oversize[2]?.digest == Digest(of: over))
            }
        }

        @Test func `an element of 100 MB costs no more than the bytes on their way`() async throws {
            try await TestRedis.run { redis in
                let buffer = redis.buffer()
                try await redis.call("RPUSH", "events:{test}", "a")
                let append = "redis.call('RPUSH', KEYS[1], string.rep('x', 100 * 1024 * 1024))"
                try await redis.call("EVAL", append, "1", "events:{test}")
                try await redis.call("RPUSH", "events:{test}", "z")
                _ = try await buffer.cut(epoch: 1, identity: "one")
                let page = try #require(try await buffer.read(identity: "one", from: 0, count: 3))
                #expect(page.oversize[1]?.length == 100 << 20)
                #expect(page.bytes.count == (64 << 10) + 2)
                #expect(try await buffer.release(epoch: 1, identity: "one", oversize: [1]) == .released)
                #expect(try await redis.call("LLEN", "events:{test}:oversize") == "1")
                try await redis.call("RENAME", "events:{test}:oversize", "events:{test}")
                let state = try await buffer.waiting()
                #expect(state.waiting == 1)
                #expect(state.oldest?.count == 64 << 10)
            }
        }
    }
}
