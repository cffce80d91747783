import Events
import Projector
import Testing

@testable import RedisBuffer

extension RedisSuite {
    /// Redis streams, moved onto lists.
    @Suite struct StreamsTests {
        private static let source = "shop.public.products"
        private static let list = "events:{shop}"

        private func add(_ count: Int, from first: Int = 0, to redis: TestRedis, padding: Int = 0) async throws {
            for number in first..<first + count {
                try await redis.call("XADD", Self.source, "*", "key", "\(number)", "value", "v\(number)" + String(repeating: "x", count: padding))
            }
        }

        private func streams(_ redis: TestRedis, group: String = "millrace") async throws -> RedisStreams {
            let streams = RedisStreams(url: redis.url, group: group)
            try await streams.join(Self.source)
            return streams
        }

        private func arrivals(_ entries: [SourceEntry], onto list: String = list) -> [Arrival] {
            entries.map { Arrival(id: $0.id, list: list, element: $0.message.fields[1].value) }
        }

        private func read(_ streams: RedisStreams, _ count: Int, wait: Duration = .milliseconds(1)) async throws -> [SourceEntry] {
            try await streams.read([Self.source], count: count, wait: wait).first?.entries ?? []
        }

        private func values(_ entries: [SourceEntry]) -> [String] { entries.map { String(decoding: $0.message.fields[1].value, as: UTF8.self) } }

        @Test func `entries are read from the beginning, once, with their fields`() async throws {
            try await TestRedis.run { redis in
                try await add(3, to: redis)
                let streams = try await streams(redis)
                // As another process does that starts later.
                try await streams.join(Self.source)
                let entries = try await read(streams, 2)
                #expect(entries.map(\.message.fields).first == [.init("key".element, "0".element), .init("value".element, "v0".element)])
                #expect(values(entries) == ["v0", "v1"])
                #expect(values(try await read(streams, 2)) == ["v2"])
                #expect(try await read(streams, 2).isEmpty)
            }
        }

        @Test func `a read waits for the first entry, of any of the streams`() async throws {
            try await TestRedis.run { redis in
                let streams = try await streams(redis)
                try await streams.join("other")
                async let found = streams.read([Self.source, "other"], count: 10, wait: .seconds(5))
                try await Task.sleep(for: .milliseconds(50))
                try await redis.call("XADD", "other", "*", "key", "1", "value", "late")
                let read = try await found
                #expect(read.map(\.source) == ["other"])
                #expect(values(read[0].entries) == ["late"])
            }
        }

        @Test func `moved entries are on their lists, acknowledged, and trimmed when that is wanted`() async throws {
            for trim in [false, true] {
                try await TestRedis.run { redis in
                    try await add(4, to: redis)
                    let streams = try await streams(redis)
                    let entries = try await read(streams, 4)
                    let mixed = entries.enumerated().map { place, entry in
                        Arrival(id: entry.id, list: place % 2 == 0 ? Self.list : "events:{shop.1}", element: entry.message.fields[1].value)
                    }
                    #expect(try await streams.move(mixed, from: Self.source, trim: trim) == .moved(groups: 1))
                    #expect(try await redis.call("LRANGE", Self.list, "0", "-1") == "[2] v0 v2")
                    #expect(try await redis.call("LRANGE", "events:{shop.1}", "0", "-1") == "[2] v1 v3")
                    #expect(try await redis.call("XLEN", Self.source) == (trim ? "0" : "4"))
                    #expect(try await streams.pending(Self.source, count: 10) == PendingEntries())
                    // Whoever does not know that it was done is told so.
                    #expect(try await streams.move(mixed, from: Self.source, trim: trim) == .behind)
                    #expect(try await redis.call("LLEN", Self.list) == "2")
                }
            }
        }

        @Test func `only the first of the pending entries can be moved, whoever has read them`() async throws {
            try await TestRedis.run { redis in
                try await add(4, to: redis)
                let (one, other) = (try await streams(redis), try await streams(redis))
                let (first, second) = (try await read(one, 2), try await read(other, 2))
                #expect(try await other.move(arrivals(second), from: Self.source, trim: true) == .behind)
                #expect(try await other.move(arrivals([first[1]]), from: Self.source, trim: true) == .behind)
                #expect(try await other.move(arrivals([first[0], second[0]]), from: Self.source, trim: true) == .behind)
                #expect(try await redis.call("EXISTS", Self.list) == "0")
                // It takes over what the first has in its hands, which finds out.
                let all = try await other.pending(Self.source, count: 3).entries
                #expect(all == first + [second[0]])
                #expect(try await other.move(arrivals(all), from: Self.source, trim: true) == .moved(groups: 1))
                #expect(try await one.move(arrivals(first), from: Self.source, trim: true) == .behind)
                #expect(try await other.move(arrivals([second[1]]), from: Self.source, trim: true) == .moved(groups: 1))
                #expect(try await redis.call("LRANGE", Self.list, "0", "-1") == "[4] v0 v1 v2 v3")
            }
        }

        @Test func `what a consumer of another name has read is taken over`() async throws {
            try await TestRedis.run { redis in
                try await add(2, to: redis)
                let streams = try await streams(redis)
                try await redis.call("XREADGROUP", "GROUP", "millrace", "somebody", "STREAMS", Self.source, ">")
                #expect(values(try await streams.pending(Self.source, count: 10).entries) == ["v0", "v1"])
            }
        }

        @Test func `nothing is trimmed that another group has not read`() async throws {
            try await TestRedis.run { redis in
                try await add(2, to: redis)
                let streams = try await streams(redis)
                try await redis.call("XGROUP", "CREATE", Self.source, "others", "0")
                #expect(try await streams.move(arrivals(try await read(streams, 2)), from: Self.source, trim: true) == .moved(groups: 2))
                #expect(try await redis.call("XLEN", Self.source) == "2")
                #expect(try await redis.call("LLEN", Self.list) == "2")
                #expect(try await streams.pending(Self.source, count: 10) == PendingEntries())
            }
        }

        @Test func `entries that somebody removed before they were moved are told of`() async throws {
            try await TestRedis.run { redis in
                try await add(3, to: redis)
                let streams = try await streams(redis)
                let entries = try await read(streams, 3)
                try await redis.call("XDEL", Self.source, entries[0].id)
                #expect(try await streams.pending(Self.source, count: 3) == PendingEntries(entries: Array(entries[1...]), gone: [entries[0].id]))
                #expect(try await streams.move(arrivals(Array(entries[1...])), from: Self.source, trim: false) == .moved(groups: 1))
            }
        }

        @Test func `a list that is none loses nothing`() async throws {
            try await TestRedis.run { redis in
                try await add(1, to: redis)
                try await redis.call("SET", Self.list, "x")
                let streams = try await streams(redis)
                let entries = try await read(streams, 1)
                let error = await #expect(throws: RedisError.self) { try await streams.move(arrivals(entries), from: Self.source, trim: true) }
                #expect(error?.code == .wrongType && error?.isRetriable == false)
                #expect(try await streams.pending(Self.source, count: 10).entries == entries)
                #expect(try await redis.call("XLEN", Self.source) == "1")
            }
        }

        @Test func `a group that somebody removed is missed, and joined again`() async throws {
            try await TestRedis.run { redis in
                try await add(1, to: redis)
                let streams = try await streams(redis)
                let entries = try await read(streams, 1)
                try await redis.call("XGROUP", "DESTROY", Self.source, "millrace")
                for _ in 0..<2 {
                    let error = await #expect(throws: RedisError.self) { try await streams.move(arrivals(entries), from: Self.source, trim: true) }
                    #expect(error?.code == .noGroup && error?.isRetriable == true)
                }
                try await streams.join(Self.source)
                #expect(try await read(streams, 1) == entries)
            }
        }

        @Test func `a full Redis takes a move that trims, and refuses one that does not`() async throws {
            try await TestRedis.run { redis in
                try await add(300, to: redis, padding: 10_000)
                let streams = try await streams(redis)
                try await redis.call("CONFIG", "SET", "maxmemory", "1mb")
                let entries = try await read(streams, 200)
                #expect(entries.count == 200)
                let error = await #expect(throws: RedisError.self) { try await streams.move(arrivals(entries), from: Self.source, trim: false) }
                #expect(error?.code == .outOfMemory && error?.isRetriable == true)
                #expect(try await redis.call("EXISTS", Self.list) == "0")
                #expect(try await streams.pending(Self.source, count: 200).entries == entries)
                #expect(try await streams.move(arrivals(entries), from: Self.source, trim: true) == .moved(groups: 1))
                #expect(try await redis.call("LLEN", Self.list) == "200")
                #expect(try await redis.call("XLEN", Self.source) == "100")
            }
        }
    }
}
