import EventFixtures
import Events
import Fixtures
import Models
import Projector
import Testing
import Values

/// Redis set back to an older state, by an older file or a failover.
@Suite struct RewindTests {
    private static let texts = (0..<24).map { EventText("\($0)", "changed", key: .string("k\($0 % 3)")).json }

    /// The window is far too small for the elements that come back: only the mark of the segment saves them.
    private static func setting() -> Worker.Setting {
        var stream = TestLog.settings
        stream.chunkEvents = 5
        stream.dedupeEvents = 2
        stream.dedupeWindow = .seconds(1)
        return Worker.Setting(stream: stream, builds: Commerce.builds)
    }

    /// A worker that has logged the texts, and knows the log by its narrow window.
    private func logged() async throws -> (worker: Worker, world: World, before: FakeMongo) {
        let world = World()
        await world.change { redis, _ in redis.list = Self.texts }
        await world.close()
        let worker = Worker(0, world, Self.setting())
        try await worker.finish("straight")
        return (worker, world, await world.mongo)
    }

    private func checkOnlyMarkers(_ mongo: FakeMongo, _ before: FakeMongo, _ count: Int, _ comment: String) throws {
        #expect(mongo.end == before.end + Int64(count), "\(comment)")
        let added = mongo.chunks { $0.offset >= before.end }.flatMap(Expected.elements(of:))
        #expect(added.allSatisfy { $0.kind == .duplicate && $0.bytes.isEmpty }, "\(comment)")
        #expect(added.map(\.original) == (Int(before.end) - count..<Int(before.end)).map(Int64.init), "\(comment)")
        #expect(mongo.documents == before.documents && mongo.damage.isEmpty, "\(comment)")
        #expect(mongo.deadLetters == before.deadLetters, "\(comment)")
    }

    /// Among the calls is the search for the start of the wider window: a worker that had its answer lost once took the
    /// empty window for one that knows the log, and doubled the segment.
    @Test(arguments: [24, 7, 1]) func `a segment that was adopted gives markers only, whichever call fails`(count: Int) async throws {
        var call = 1
        var hasFailed = true
        while hasFailed {
            for isReplyLost in [false, true] {
                let (worker, world, before) = try await logged()
                await world.change { redis, mongo in
                    redis.segment = Array(Self.texts.suffix(count))
                    redis.run = "run-2"
                    mongo.clock += 30_000
                }
                let failure = World.Failure(call: call, isReplyLost: isReplyLost)
                await world.fail(failure)
                try await worker.finish("\(failure)")
                try checkOnlyMarkers(await world.mongo, before, count, "\(failure)")
                hasFailed = await world.hasFailed
            }
            call += 1
        }
        #expect(call > 15)
    }

    @Test func `the mark is met by a worker that did not set it`() async throws {
        let (first, world, before) = try await logged()
        await world.change { redis, mongo in
            redis.segment = Self.texts
            mongo.clock += 30_000
        }
        // Sets the mark, and is never heard of again.
        _ = try await world.call(0) { redis, _ in redis.cut(epoch: 1, identity: "adopted") }
        try await Worker(1, world, Self.setting()).finish("second worker")
        try checkOnlyMarkers(await world.mongo, before, 24, "second worker")
        // Afterwards the window is narrow again: what comes as a list of its own is decided by the settings.
        await world.change { redis, _ in redis.list = [Self.texts[0]] }
        try await first.finish("afterwards")
        #expect(await world.mongo.chunks { _ in true }.last?.elements.last?.kind == .event)
    }

    @Test func `a segment that is back with its identity is only released`() async throws {
        let world = World()
        await world.change { redis, _ in redis.list = Self.texts }
        let worker = Worker(0, world, Self.setting())
        _ = try await worker.step(epoch: 1)
        let older = await world.redis
        #expect(older.segment?.count == 24)
        await world.close()
        try await worker.finish("straight")
        let before = await world.mongo
        await world.change { redis, _ in redis = older }
        try await Worker(1, world, Self.setting()).finish("again")
        #expect(await world.mongo.end == before.end)
        #expect(await world.redis.isEmpty)
        try Expected(Self.texts, Self.setting().stream, Commerce.builds).check(await world.mongo, "again")
    }

    @Test func `a log that is shorter than it was seen to be stops the partition`() async throws {
        let (worker, world, before) = try await logged()
        await world.change { redis, mongo in
            redis.list = Self.texts
            mongo.clock += 1
        }
        _ = try await worker.step(epoch: 1)
        var shorter = FakeMongo()
        for chunk in before.chunks({ $0.offset < 10 }) { _ = shorter.append(chunk) }
        let lost = shorter
        await world.change { redis, mongo in
            mongo = lost
            (redis.segment, redis.identity, redis.list) = (nil, nil, Self.texts)
        }
        await worker.ingest.forget()
        let refusal = await #expect(throws: Refusal.self) { try await worker.ingest.next(epoch: 1, events: 10, bytes: 1000) }
        #expect(refusal?.problem == .logDamaged)
    }
}
