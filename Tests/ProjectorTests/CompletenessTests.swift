import EventFixtures
import Events
import Models
import Testing
import Values

@testable import Projector

/// Rule 12: what a reader may rely on who pushed something and holds a token.
@Suite struct CompletenessTests {
    private static let texts = (0..<4).map { EventText("\($0)", "created").json }
    private static let build = Commerce.product
    private static let setting = Worker.Setting(stream: TestLog.settings, builds: [(build, Commerce.productFold)])

    @Test func `a cut says what is complete, at a tail that was read after it`() async throws {
        let world = World()
        let ingest = Worker(0, world, Self.setting).ingest
        #expect(try await ingest.next(epoch: 1, events: 9, bytes: 1 << 20).completeness == Completeness(token: BufferToken(run: "run-1", cuts: 0), offset: 0))
        await world.change { redis, _ in redis.list = Self.texts }
        // While the segment is there, only what was cut before it.
        #expect(try await ingest.next(epoch: 1, events: 1, bytes: 1 << 20).completeness == Completeness(token: BufferToken(run: "run-1", cuts: 0), offset: 0))
        _ = try await ingest.next(epoch: 1, events: 9, bytes: 1 << 20)
        #expect(try await ingest.next(epoch: 1, events: 9, bytes: 1 << 20).completeness == Completeness(token: BufferToken(run: "run-1", cuts: 1), offset: 4))
        // Somebody else cuts, logs and releases the next.
        await world.change { redis, _ in redis.list = [EventText("x", "created").json] }
        let other = Worker(1, world, Self.setting).ingest
        for _ in 0..<2 { _ = try await other.next(epoch: 1, events: 9, bytes: 1 << 20) }
        #expect(try await ingest.next(epoch: 1, events: 9, bytes: 1 << 20).completeness == Completeness(token: BufferToken(run: "run-1", cuts: 2), offset: 5))
        // Another run of Redis, with the same count.
        await world.change { redis, _ in redis.run = "run-2" }
        #expect(try await ingest.next(epoch: 1, events: 9, bytes: 1 << 20).completeness == Completeness(token: BufferToken(run: "run-2", cuts: 2), offset: 5))
    }

    /// What the checkpoint holds after a turn, when this was expected before it.
    private func noted(_ projection: Projection, _ world: World, _ token: (run: String, cuts: Int64), offset: Int64, list: String = "l") async throws
        -> [ListCompleteness]
    {
        await projection.expect(list, Completeness(token: BufferToken(run: token.run, cuts: token.cuts), offset: offset))
        _ = try await projection.turn([], tail: nil)
        return try #require(await world.mongo.checkpoints[Self.build]).complete
    }

    private func complete(_ run: String, _ cuts: Int64, list: String = "l") -> ListCompleteness {
        ListCompleteness(list: list, token: BufferToken(run: run, cuts: cuts))
    }

    @Test func `it enters the checkpoint that has reached the offset, and never goes down within a run`() async throws {
        let world = World()
        await world.change { redis, _ in redis.list = Self.texts }
        let worker = Worker(0, world, Self.setting)
        try await worker.run { $0.mongo.checkpoints[Self.build]?.offset == 4 }
        await world.change { _, mongo in mongo.checkpoints[Self.build]?.complete = [] }
        let projection = Worker(1, world, Self.setting).projections[0]
        #expect(try await noted(projection, world, ("a", 7), offset: 5).isEmpty)
        #expect(try await noted(projection, world, ("a", 7), offset: 4) == [complete("a", 7)])
        #expect(try await noted(projection, world, ("a", 6), offset: 4) == [complete("a", 7)])
        #expect(try await noted(projection, world, ("a", 8), offset: 4) == [complete("a", 8)])
        #expect(try await noted(projection, world, ("b", 1), offset: 4) == [complete("b", 1)])
        #expect(try await noted(projection, world, ("b", 1), offset: 4, list: "m") == [complete("b", 1), complete("b", 1, list: "m")])
    }

    @Test func `it moves with the batch that reaches the offset`() async throws {
        let world = World()
        await world.change { redis, _ in redis.list = Self.texts }
        let worker = Worker(0, world, Self.setting)
        let batch = try await worker.ingest.next(epoch: 1, events: 9, bytes: 1 << 20)
        let projection = worker.projections[0]
        await projection.expect("l", Completeness(token: BufferToken(run: "a", cuts: 3), offset: 4))
        await projection.expect("m", Completeness(token: BufferToken(run: "a", cuts: 3), offset: 5))
        #expect(try await projection.turn(batch.chunks, tail: batch.tail))
        #expect(await world.mongo.commits == 1)
        #expect(try #require(await world.mongo.checkpoints[Self.build]).complete == [complete("a", 3)])
    }

    @Test func `it is not noted in a checkpoint that somebody else moved`() async throws {
        let world = World()
        let projection = Worker(0, world, Self.setting).projections[0]
        #expect(try await noted(projection, world, ("a", 1), offset: 0) == [complete("a", 1)])
        await world.change { _, mongo in mongo.checkpoints[Self.build]?.generation += 1 }
        #expect(try await noted(projection, world, ("a", 2), offset: 0) == [complete("a", 1)])
        // Read anew, it is.
        #expect(try await noted(projection, world, ("a", 2), offset: 0) == [complete("a", 2)])
    }
}
