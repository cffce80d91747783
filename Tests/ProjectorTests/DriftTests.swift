import EventFixtures
import Events
import Models
import Testing
import Values

@testable import Projector

/// Documents that somebody else wrote into a build: found when an event touches them, counted as drift, and written as
/// the log makes them.
@Suite struct DriftTests {
    private static let build = Commerce.product
    private static let key = ExactString("k")
    private static let texts = (0..<4).map { EventText("\($0)", "created", key: "k", data: .int32(Int32($0))).json }

    /// Half of the events are in effect; the worker is another.
    private func halfway() async throws -> (projection: Projection, world: World) {
        let world = World()
        var setting = Worker.Setting(stream: TestLog.settings, builds: [(Self.build, Commerce.productFold)])
        setting.limits.events = 2
        await world.change { redis, _ in redis.list = Self.texts }
        let first = Worker(0, world, setting)
        _ = try await first.ingest.next(epoch: 1, events: 100, bytes: 1 << 20)
        #expect(try await !first.projections[0].turn([], tail: nil))
        return (Worker(1, world, setting).projections[0], world)
    }

    private func finish(_ projection: Projection, _ world: World, drift: Int64, _ comment: String) async throws {
        var turns = 0
        while try await !projection.turn([], tail: nil), turns < 20 { turns += 1 }
        #expect(turns < 20, "\(comment)")
        let mongo = await world.mongo
        let stored = try #require(mongo.documents[Self.build]?[Self.key], "\(comment)")
        let expected = StoredDocument(key: "k", position: DocumentPosition(partition: 0, offset: 3, time: 1_000_000), fields: ["first": 3, "n": 4])
        #expect(stored == expected.bson, "\(comment)")
        #expect(mongo.checkpoints[Self.build]?.totals.drift == drift, "\(comment)")
        #expect(mongo.damage.isEmpty, "\(comment)")
    }

    private static func position(_ partition: Int32, _ offset: Int64) -> Value { ["p": .int32(partition), "o": .int64(offset), "t": .date(0)] }

    static let others: [(String, Document)] = [
        ("no position", ["_id": "k", "n": 9]), ("an invalid one", ["_id": "k", "_position": ["o": .int64(1)], "n": 9]),
        ("another partition's", ["_id": "k", "_position": position(1, 0), "n": 9]),
        ("one that the checkpoint has not reached", ["_id": "k", "_position": position(0, 2), "n": 9]),
    ]

    @Test func `a document that betrays itself by its position`() async throws {
        for (what, document) in Self.others {
            let (projection, world) = try await halfway()
            await world.change { _, mongo in mongo.documents[Self.build]?[Self.key] = BSON.encode(document) }
            try await finish(projection, world, drift: 1, what)
        }
    }

    @Test func `a document that appears, goes or changes while a batch is folded`() async throws {
        let foreign = BSON.encode(["_id": "k", "n": 9])
        let own = StoredDocument(key: "k", position: DocumentPosition(partition: 0, offset: 1, time: 5), fields: ["n": 9]).bson
        for (what, before, after) in [("goes", nil, nil), ("appears", [UInt8]?.none, foreign), ("appears with a position", nil, own)]
            as [(String, [UInt8]?, [UInt8]?)]
        {
            let (projection, world) = try await halfway()
            if what != "goes" { await world.change { _, mongo in mongo.documents[Self.build]?[Self.key] = before } }
            await world.change { _, mongo in mongo.beforeCommit = { $0.documents[Self.build]?[Self.key] = after } }
            try await finish(projection, world, drift: 1, what)
        }
    }

    @Test func `a document that nobody touched is no drift, however it was come by`() async throws {
        let (projection, world) = try await halfway()
        try await finish(projection, world, drift: 0, "untouched")
        // Deleted by the log and by somebody else.
        let deleting = World()
        let setting = Worker.Setting(stream: TestLog.settings, builds: [(Self.build, Commerce.productFold)])
        await deleting.change { redis, mongo in
            redis.list = [EventText("1", "deleted", key: "k").json]
            mongo.documents[Self.build] = [Self.key: BSON.encode(["_id": "k"])]
        }
        await deleting.close()
        let worker = Worker(0, deleting, setting)
        try await worker.finish()
        #expect(await deleting.mongo.documents[Self.build]?.isEmpty == true)
        #expect(await deleting.mongo.checkpoints[Self.build]?.totals.drift == 1)
    }
}
