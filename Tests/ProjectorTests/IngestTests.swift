import EventFixtures
import Events
import Models
import Projector
import Testing
import Values

@Suite struct IngestTests {
    private static func worker(_ world: World, chunkEvents: Int = 2, number: Int = 0) -> Worker {
        var stream = TestLog.settings
        stream.chunkEvents = chunkEvents
        return Worker(number, world, Worker.Setting(stream: stream, builds: Commerce.builds))
    }

    private static func texts(_ ids: Range<Int>) -> [String] { ids.map { EventText("\($0)", "created").json } }

    private static func push(_ ids: Range<Int>, _ world: World) async { await world.change { redis, _ in redis.list += texts(ids) } }

    @Test func `a list is cut, read, logged and released`() async throws {
        let world = World()
        await Self.push(0..<5, world)
        let ingest = Self.worker(world).ingest
        let batch = try await ingest.next(epoch: 3, events: 100, bytes: 1 << 20)
        #expect(batch.chunks.map(\.chunk.count) == [2, 2, 1] && batch.events == 5 && batch.tail == 5)
        #expect(!batch.isIdle && batch.fence == nil)
        #expect(await world.redis.isEmpty)
        #expect(await world.redis.fence == 3)
        let heads = await world.mongo.heads
        #expect(Set(heads.map(\.segment)).count == 1 && heads.map(\.index) == [0, 2, 4])
        let idle = try await ingest.next(epoch: 3, events: 100, bytes: 1 << 20)
        #expect(idle.isIdle && idle.chunks.isEmpty && idle.tail == 5)
    }

    @Test func `every cut has an identity of its own`() async throws {
        let world = World()
        let ingest = Self.worker(world).ingest
        for lot in 0..<4 {
            await Self.push(lot * 2..<lot * 2 + 2, world)
            _ = try await ingest.next(epoch: 1, events: 100, bytes: 1 << 20)
        }
        #expect(Set(await world.mongo.heads.map(\.segment)).count == 4)
    }

    @Test func `a batch ends at its events or its bytes`() async throws {
        let world = World()
        await Self.push(0..<10, world)
        let ingest = Self.worker(world).ingest
        #expect(try await ingest.next(epoch: 1, events: 3, bytes: 1 << 20).chunks.count == 2)
        #expect(try await ingest.next(epoch: 1, events: 100, bytes: 10).chunks.count == 1)
        #expect(try await ingest.next(epoch: 1, events: 100, bytes: 1 << 20).chunks.count == 2)
        #expect(await world.mongo.end == 10)
    }

    /// Two workers at once: the second of three appends collides, and the log has grown when the third is made. A
    /// projection that was handed both once took the third for what follows the first: it doubled its events, and lost
    /// the other worker's.
    @Test func `a batch has no gaps`() async throws {
        let world = World()
        let log = TestLog()
        log.append(Self.texts(0..<2))
        let intruder = try #require(log.append([EventText("of another", "created").json]).first).chunk
        await world.change { _, mongo in mongo.intruder = intruder }
        await Self.push(0..<6, world)
        await world.close()
        let worker = Self.worker(world)
        let batch = try await worker.ingest.next(epoch: 1, events: 100, bytes: 1 << 20)
        #expect(batch.chunks.map(\.chunk.offset) == [0])
        let next = try await worker.ingest.next(epoch: 1, events: 100, bytes: 1 << 20)
        #expect(next.chunks.map(\.chunk.offset) == [3, 5])
        #expect(await world.mongo.end == 7)
    }

    @Test func `below the fence nothing is logged, and the fence is named`() async throws {
        let world = World()
        await Self.push(0..<3, world)
        await world.change { redis, _ in redis.fence = 9 }
        let ingest = Self.worker(world).ingest
        let batch = try await ingest.next(epoch: 8, events: 100, bytes: 1 << 20)
        #expect(batch.fence == 9 && batch.chunks.isEmpty && !batch.isIdle)
        #expect(await world.redis.list.count == 3)
        #expect(try await ingest.next(epoch: 9, events: 100, bytes: 1 << 20).events == 3)
    }

    @Test func `a fence that rises before the release leaves the segment to its new holder`() async throws {
        let world = World()
        await Self.push(0..<2, world)
        let ingest = Self.worker(world).ingest
        #expect(try await ingest.next(epoch: 1, events: 2, bytes: 1 << 20).events == 2)
        await world.change { redis, _ in redis.fence = 5 }
        #expect(try await ingest.next(epoch: 1, events: 2, bytes: 1 << 20).fence == 5)
        #expect(await world.redis.segment?.count == 2)
        _ = try await Self.worker(world, number: 1).ingest.next(epoch: 5, events: 2, bytes: 1 << 20)
        #expect(await world.redis.isEmpty)
        #expect(await world.mongo.end == 2)
    }

    @Test func `another installation's list is refused`() async throws {
        let world = World()
        await world.change { redis, _ in (redis.list, redis.owner) = (["x"], "there") }
        let refusal = await #expect(throws: Refusal.self) { try await Self.worker(world).ingest.next(epoch: 1, events: 1, bytes: 1) }
        #expect(refusal?.problem == .otherInstallation)
        #expect(refusal?.message.contains("events:{test} belongs to the installation there") == true)
    }

    @Test func `a segment that is another when it is read is cut again`() async throws {
        let world = World()
        await Self.push(0..<4, world)
        let ingest = Self.worker(world).ingest
        _ = try await ingest.next(epoch: 1, events: 2, bytes: 1 << 20)
        // The page that was read is finished from memory; the segment itself is gone, and so is what was to be released.
        await world.change { redis, _ in (redis.segment, redis.identity, redis.list) = (nil, nil, Self.texts(2..<7)) }
        for _ in 0..<4 { _ = try await ingest.next(epoch: 1, events: 100, bytes: 1 << 20) }
        let elements = await world.mongo.chunks { _ in true }.flatMap(Expected.elements(of:))
        #expect(elements.filter { $0.kind == .event }.map(\.bytes) == Self.texts(0..<7).map { Array($0.utf8) })
        #expect(await world.redis.isEmpty)
    }

    /// What the first read takes, whatever the size of a chunk.
    private static let firstPage = 64

    @Test(arguments: [0, 70]) func `elements that somebody takes out of a segment are counted`(left: Int) async throws {
        let world = World()
        await Self.push(0..<100, world)
        let ingest = Self.worker(world).ingest
        _ = try await ingest.next(epoch: 1, events: 2, bytes: 1 << 20)
        let segment = try #require(await world.redis.segment)
        await world.change { redis, _ in redis.segment = left == 0 ? nil : Array(segment.prefix(left)) }
        // What was read before is finished from memory.
        _ = try await ingest.next(epoch: 1, events: Self.firstPage - 2, bytes: 1 << 20)
        #expect(await world.mongo.end == Int64(Self.firstPage))
        var missing: [MissingElements] = []
        for _ in 0..<4 { missing += try await ingest.next(epoch: 1, events: 100, bytes: 1 << 20).missing }
        #expect(missing.map(\.count) == [Int64(100 - max(left, Self.firstPage))])
        #expect(missing.map(\.segment.length) == [100])
        #expect(await world.mongo.end == Int64(max(left, Self.firstPage)))
    }

    @Test func `a segment that another worker finished, or that lost its identity, misses nothing`() async throws {
        let world = World()
        await Self.push(0..<100, world)
        let ingest = Self.worker(world).ingest
        _ = try await ingest.next(epoch: 1, events: Self.firstPage, bytes: 1 << 20)
        await world.change { redis, _ in redis.identity = nil }
        var missing: [MissingElements] = []
        missing += try await ingest.next(epoch: 1, events: Self.firstPage, bytes: 1 << 20).missing
        let other = Self.worker(world, number: 1).ingest
        while await !world.redis.isEmpty { missing += try await other.next(epoch: 2, events: 100, bytes: 1 << 20).missing }
        for _ in 0..<2 { missing += try await ingest.next(epoch: 3, events: 100, bytes: 1 << 20).missing }
        #expect(missing.isEmpty)
    }

    @Test func `time is the server's, never runs backwards, and ages by a minute at most`() async throws {
        let world = World()
        let ingest = Self.worker(world, chunkEvents: 1).ingest
        var clocks: [Int64] = [1_000_000, 1_000_500, 900_000, 1_060_000, 9_000_000, 9_000_001]
        for (number, clock) in clocks.enumerated() {
            await Self.push(number..<number + 1, world)
            await world.change { _, mongo in mongo.clock = clock }
            // One call releases the segment before, the next logs.
            for _ in 0..<2 where await world.mongo.end == Int64(number) { _ = try await ingest.next(epoch: 1, events: 1, bytes: 1 << 20) }
        }
        clocks[2] = clocks[1]
        #expect(await world.mongo.heads.map(\.at) == clocks)
        #expect(await world.mongo.heads.map(\.age) == [0, 500, 500, 60_000, 120_000, 120_001])
    }
}
