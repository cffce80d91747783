import EventFixtures
import Events
import Fixtures
import Models
import Testing
import Values

@testable import Projector

@Suite struct ProjectionTests {
    private static let build = Commerce.product

    private static func setting(_ change: (inout BatchLimits) -> Void = { _ in }) -> Worker.Setting {
        var setting = Worker.Setting(stream: World.stream, builds: [(build, Commerce.productFold)])
        change(&setting.limits)
        return setting
    }

    @Test(arguments: Seed.ofThisRun) func `a build that is behind catches up from the log, batch by batch`(seed: Seed) async throws {
        var random = Random(seed)
        let texts = random.texts(60, types: Commerce.types)
        let expected = Expected(texts, Self.setting().stream, Self.setting().builds)
        for (events, documents, loaded, cache) in [
            (7, 100, 1 << 20, 1 << 20), (100, 2, 1 << 20, 1 << 20), (100, 100, 100, 0), (1, 1, 1, 0), (1000, 1000, 1 << 20, 0),
        ] {
            let world = try await World.logged(texts)
            let setting = Self.setting { limits in
                (limits.events, limits.documents, limits.loaded, limits.cache) = (events, documents, ByteCount(loaded), ByteCount(cache))
            }
            let turns = try await Worker(1, world, setting).projections[0].catchUp()
            #expect(turns >= 60 / events, "\(events), \(documents)")
            try expected.check(await world.mongo, "\(events), \(documents), \(loaded)")
        }
    }

    @Test func `documents are counted by what happened to them`() async throws {
        let texts = [("1", "created", "a"), ("2", "created", "b"), ("3", "deleted", "c"), ("4", "created", "d"), ("5", "deleted", "d")]
            .map { EventText($0.0, $0.1, key: .string($0.2), data: 5).json }
        let later = [("6", "changed", "a"), ("7", "deleted", "b")].map { EventText($0.0, $0.1, key: .string($0.2), data: 5).json }
        let world = try await World.logged(texts + later)
        let setting = Self.setting { $0.events = 5 }
        _ = try await Worker(1, world, setting).projections[0].catchUp()
        let totals = try #require(await world.mongo.checkpoints[Self.build]).totals
        #expect(totals.inserted == 2 && totals.updated == 1 && totals.deleted == 1 && totals.unchanged == 2 && totals.drift == 0)
        #expect(await world.mongo.commits == 2)
    }

    /// A repair bumps the generation; what the projection has in its cache must never be written back over it.
    @Test func `a repair between two batches is built upon`() async throws {
        let world = try await World.logged([EventText("1", "created", key: "a", data: 1).json, EventText("2", "created", key: "a", data: 2).json])
        let projection = Worker(1, world, Self.setting { $0.events = 1 }).projections[0]
        #expect(try await !projection.turn([], tail: nil))
        await world.change { _, mongo in
            let repaired = StoredDocument(key: "a", position: DocumentPosition(partition: 0, offset: 0, time: 7), fields: ["n": 41, "mended": true])
            mongo.documents[Self.build] = [ExactString("a"): repaired.bson]
            mongo.checkpoints[Self.build]?.generation += 1
        }
        _ = try await projection.catchUp()
        let stored = try #require(await world.mongo.documents[Self.build]?[ExactString("a")])
        #expect(try StoredDocument(Document(bson: stored))?.fields == ["n": 42, "mended": true, "first": 2])
        #expect(await world.mongo.checkpoints[Self.build]?.generation == 1)
    }

    @Test func `a checkpoint beyond the log stops the build`() async throws {
        let world = try await World.logged([EventText("1", "created").json])
        var checkpoint = Checkpoint(build: Self.build, partition: PartitionID(stream: "test", number: 0))
        checkpoint.offset = 2
        let stored = checkpoint
        await world.change { _, mongo in mongo.checkpoints[Self.build] = stored }
        let projection = Worker(1, world, Self.setting()).projections[0]
        let refusal = await #expect(throws: Refusal.self) { try await projection.turn([], tail: nil) }
        #expect(refusal?.problem == .logDamaged)
        #expect(await world.mongo.checkpoints[Self.build] == stored)
    }

    @Test func `a build that a switch has frozen waits, and goes on when the switch is over`() async throws {
        let world = try await World.logged([EventText("1", "created").json])
        let made = { (number: Int) in
            StoredBuild(id: BuildID(model: Self.build.model, number: number), stream: "test", source: "", foldHash: "", foldVersion: 1)
        }
        let (old, new) = (KeptBuild(made(Self.build.number), .live, made: 0), KeptBuild(made(Self.build.number + 1), .building, made: 0))
        let alone = ModelPointer(model: Self.build.model, live: Self.build, builds: [old, new])
        let entry = SwitchEntry(id: "switch-7", target: new.build.id, keep: 1000)
        let entered = try #require(alone.entering(entry))
        await world.change { _, mongo in
            mongo.pointers[Self.build.model] = entered
            mongo.checkpoints[Self.build] = Checkpoint(build: Self.build, partition: PartitionID(stream: "test", number: 0))
            mongo.checkpoints[Self.build]?.frozen = "switch-7"
        }
        let projection = Worker(1, world, Self.setting()).projections[0]
        for _ in 0..<2 {
            #expect(try await projection.turn([], tail: nil))
            #expect(await projection.isAside)
        }
        #expect(await world.mongo.checkpoints[Self.build]?.offset == 0)

        await world.change { _, mongo in mongo.pointers[Self.build.model] = entered.struckOut("switch-7") }
        _ = try await projection.turn([], tail: nil)
        #expect(await world.mongo.checkpoints[Self.build]?.frozen == nil)
        #expect(await world.mongo.checkpoints[Self.build]?.offset == 1)
        #expect(await !projection.isAside)
    }

    @Test func `a build that is removed is not made again`() async throws {
        let world = try await World.logged([EventText("1", "created").json])
        let other = StoredBuild(id: BuildID(model: Self.build.model, number: 9), stream: "test", source: "", foldHash: "", foldVersion: 1)
        let pointer = ModelPointer(model: Self.build.model, live: other.id, builds: [KeptBuild(other, .live, made: 0)])
        await world.change { _, mongo in
            mongo.pointers[Self.build.model] = pointer
            mongo.checkpoints[Self.build] = Checkpoint(build: Self.build, partition: PartitionID(stream: "test", number: 0))
            mongo.checkpoints[Self.build]?.frozen = "switch-7"
        }
        let projection = Worker(1, world, Self.setting()).projections[0]
        #expect(try await projection.turn([], tail: nil))
        await world.change { _, mongo in mongo.checkpoints[Self.build] = nil }
        #expect(try await projection.turn([], tail: nil))
        #expect(await projection.isAside)
        #expect(await world.mongo.checkpoints[Self.build] == nil)
    }

    @Test func `a batch that fails three times is halved until it fits`() async throws {
        let world = try await World.logged((0..<16).map { EventText("\($0)", "created", key: .string("k\($0)")).json })
        await world.change { _, mongo in mongo.mostElements = 3 }
        let projection = Worker(1, world, Self.setting()).projections[0]
        var failures = 0
        var isCurrent = false
        while !isCurrent, failures < 100 {
            do { isCurrent = try await projection.turn([], tail: nil) } catch is StoreLost { failures += 1 }
        }
        // 16, 8 and 4 elements fail three times each, at the first place; what follows is as small as what went well there.
        #expect(failures == 9)
        #expect(await world.mongo.checkpoints[Self.build]?.offset == 16)
        #expect(await world.mongo.documents[Self.build]?.count == 16)
    }

    @Test func `what was handed over is applied from the checkpoint on, once`() async throws {
        let world = World()
        await world.change { redis, _ in redis.list = (0..<12).map { EventText("\($0)", "created", key: "k", data: .int32(Int32($0))).json } }
        let worker = Worker(0, world, Self.setting { $0.events = 5 })
        let batch = try await worker.ingest.next(epoch: 1, events: 12, bytes: 1 << 20)
        #expect(batch.chunks.count == 3)
        let projection = worker.projections[0]
        #expect(try await !projection.turn(batch.chunks, tail: batch.tail))
        #expect(try await projection.isWithin(batch.chunks))
        #expect(try await !projection.turn(batch.chunks, tail: batch.tail))
        #expect(try await projection.turn(batch.chunks, tail: batch.tail))
        #expect(try await !projection.isWithin(batch.chunks))
        // Handed over again, it changes nothing.
        #expect(try await projection.turn(batch.chunks, tail: batch.tail))
        #expect(await world.mongo.commits == 3)
        let stored = try #require(await world.mongo.documents[Self.build]?[ExactString("k")])
        #expect(try StoredDocument(Document(bson: stored))?.fields == ["first": 11, "n": 12])
    }
}
