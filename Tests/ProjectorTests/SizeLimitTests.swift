import EventFixtures
import Events
import Models
import Testing
import Values

@testable import Projector

/// A document that grows beyond 8 MiB: the event that goes too far is parked, the same one however the log is cut.
@Suite struct SizeLimitTests {
    private static let build = BuildID(model: "growing", number: 1)
    private static let fold = EffectFold([
        "filled": [Effect([.set(FieldPath(["base"]), .event(name: .data, path: []))])],
        "doubled": [Effect([.set(FieldPath(["base"]), .object([.init("a", .document(path: ["base"])), .init("b", .document(path: ["base"]))]))])],
        "grown": [Effect([.push(FieldPath(["parts"]), .one(.event(name: .data, path: [])), slice: nil)])],
        "shrunk": [Effect([.unset(FieldPath(["parts"]))])],
    ])

    /// 8 KiB below the limit after thirteen doublings; a fourteenth, and then steps of which some fit and some do not.
    private static let texts: [String] = {
        let steps: [(type: String, bytes: Int)] =
            [("filled", 1007)] + (0..<14).map { _ in ("doubled", 0) } + [2000, 2000, 6000, 1800, 2000, 2000, 100, 500].map { ("grown", $0) }
            + [("shrunk", 0), ("grown", 6000), ("grown", 6000)]
        return steps.enumerated().map { EventText("\($0)", $1.type, key: "k", data: .string(String(repeating: "x", count: $1.bytes))).json }
    }()

    /// - Parameter disturbed: after so many events somebody replaces the document by a small one.
    private func run(_ texts: [String] = texts, batchEvents: Int, cache: Int, disturbed: Int = 0) async throws -> FakeMongo {
        let world = World()
        var setting = Worker.Setting(stream: TestLog.settings, builds: [(Self.build, Self.fold)])
        setting.limits.events = batchEvents
        setting.limits.cache = ByteCount(cache)
        let worker = Worker(0, world, setting)
        if disturbed > 0 {
            await world.change { redis, _ in redis.list = Array(texts[..<disturbed]) }
            try await worker.run { $0.mongo.checkpoints[Self.build]?.offset == Int64(disturbed) }
            await world.change { _, mongo in mongo.documents[Self.build]?[ExactString("k")] = BSON.encode(["_id": "k"]) }
            for projection in worker.projections { await projection.forget() }
        }
        await world.change { redis, _ in redis.list += texts[disturbed...] }
        await world.close()
        try await worker.finish("batches of \(batchEvents)")
        return await world.mongo
    }

    /// Megabytes are not shown where they differ.
    private func isSame(_ left: FakeMongo, _ right: FakeMongo) -> Bool { left.documents == right.documents }

    @Test func `the same events are parked for batches of every size, cached or loaded`() async throws {
        let expected = try await run(batchEvents: 1, cache: 0)
        let parked = expected.deadLetters.map(\.offset).sorted()
        #expect(parked == [14, 17, 20, 22, 25])
        #expect(expected.deadLetters.allSatisfy { $0.refusal.problem == .documentTooLarge && $0.build == Self.build })
        for (events, cache) in [(1, 64 << 20), (2, 0), (3, 64 << 20), (5, 0), (100, 0)] {
            let mongo = try await run(batchEvents: events, cache: cache)
            #expect(mongo.deadLetters == expected.deadLetters, "batches of \(events)")
            #expect(isSame(mongo, expected), "batches of \(events)")
        }
        var history = KeyHistory(of: ["k"], build: Self.build, fold: Self.fold)
        for chunk in expected.chunks({ _ in true }) { history.take(DecodedChunk(parsing: chunk)) }
        #expect(history.document(of: "k")?.bson == expected.documents[Self.build]?[ExactString("k")])
    }

    /// The document is beyond the limit when it is noticed, and what it was before is gone.
    @Test(arguments: [1, 2, 3, 5, 9]) func `the same events are parked in a batch that goes on`(events: Int) async throws {
        let expected = try await run(batchEvents: 1, cache: 0)
        let world = try await World.logged(Self.texts)
        var setting = Worker.Setting(stream: TestLog.settings, builds: [(Self.build, Self.fold)])
        (setting.limits.events, setting.limits.gathered) = (events, 1000)
        _ = try await Worker(1, world, setting).projections[0].catchUp()
        let mongo = await world.mongo
        #expect(mongo.deadLetters == expected.deadLetters)
        #expect(isSame(mongo, expected))
        // Where it was noticed in time, and where it was not.
        #expect((await world.mongo.commits < Self.texts.count / events) == (events < 3))
    }

    /// Stored small, but made large by the log, and small again when the batch ends: what it is folded onto decides.
    @Test func `the same events are parked when somebody replaced the document`() async throws {
        let texts = Array(Self.texts.dropLast())
        let expected = try await run(texts, batchEvents: 1, cache: 0)
        let disturbed = try await run(texts, batchEvents: 100, cache: 0, disturbed: 16)
        #expect(disturbed.deadLetters == expected.deadLetters)
        #expect(isSame(disturbed, expected))
        #expect(disturbed.checkpoints[Self.build]?.totals.drift == 1)
    }
}
