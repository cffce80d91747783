import EventFixtures
import Events
import Fixtures
import Models
import Testing
import Values

@testable import Projector

/// Batches that go on before they are committed.
@Suite struct GatheringTests {
    private static let build = Commerce.product

    private static func setting(_ change: (inout BatchLimits) -> Void = { _ in }) -> Worker.Setting {
        var setting = Worker.Setting(stream: World.stream, builds: [(build, Commerce.productFold)])
        (setting.limits.events, setting.limits.gathered, setting.limits.gathering) = (5, 1000, .seconds(3600))
        change(&setting.limits)
        return setting
    }

    @Test(arguments: Seed.ofThisRun) func `they come to the same as each by itself`(seed: Seed) async throws {
        var random = Random(seed)
        for round in 0..<40 {
            let texts = random.texts(60, types: Commerce.types)
            // Some are taken to the end at once, others stored in between, with documents that come and go.
            let setting = Self.setting { limits in
                limits.gathered = random.pick([1000, 20])
                limits.documents = random.pick([100, 6])
                limits.cache = ByteCount(random.pick([0, 1 << 20]))
                limits.loaded = ByteCount(random.pick([200, 1000, 1 << 20]))
            }
            let world = try await World.logged(texts)
            _ = try await Worker(1, world, setting).projections[0].catchUp()
            try Expected(texts, setting.stream, setting.builds).check(await world.mongo, "round \(round)")
        }
    }

    @Test func `without letters they are one commit`() async throws {
        let types = ["created", "changed", "deleted", "created"]
        let texts = (0..<40).map { EventText("\($0)", types[$0 % 4], key: .string("k\($0 % 7)"), data: 5).json }
        let world = try await World.logged(texts)
        _ = try await Worker(1, world, Self.setting()).projections[0].catchUp()
        try Expected(texts, Self.setting().stream, Self.setting().builds).check(await world.mongo, "one commit")
        #expect(await world.mongo.commits == 1)
    }

    @Test func `keys that are equal to a reader and not byte for byte are two`() async throws {
        let (one, other) = ("\u{e9}", "e\u{301}")
        let texts = [("deleted", one), ("created", other), ("changed", other)].enumerated().map { number, event in
            EventText("\(number)", event.0, key: .string(event.1), data: 5).json
        }
        let world = try await World.logged(texts)
        let setting = Self.setting { $0.events = 2 }
        _ = try await Worker(1, world, setting).projections[0].catchUp()
        try Expected(texts, setting.stream, setting.builds).check(await world.mongo, "two keys")
    }

    /// What comes of two times that elements are taken, for each pair of what can become of a document in them.
    @Test(arguments: [
        ("created", "changed"), ("created", "deleted"), ("changed", "changed"), ("changed", "deleted"), ("deleted", "created"), ("deleted", "deleted"),
    ])
    func `a document that is touched in both is written once`(first: String, second: String) async throws {
        func text(_ id: String, _ type: String, key: String = "a") -> String { EventText(id, type, key: .string(key), data: 5).json }
        // Once on what is stored, once on nothing; and once more with a third.
        for stored in [true, false] {
            for third in [nil, "created", "changed", "deleted"] {
                let before = stored ? [text("0", "created")] : []
                let texts = before + [text("1", first), text("2", second)] + (third.map { [text("3", $0)] } ?? [])
                let world = try await World.logged(before)
                let setting = Self.setting { $0.events = 1 }
                _ = try await Worker(1, world, setting).projections[0].catchUp()
                try await world.log(Array(texts[before.count...]))
                let commits = await world.mongo.commits
                _ = try await Worker(1, world, setting).projections[0].catchUp()
                #expect(await world.mongo.commits == commits + 1)
                try Expected(texts, setting.stream, setting.builds).check(await world.mongo, "\(stored), \(third ?? "")")
            }
        }
    }

    @Test func `a batch that had gone on is folded again when somebody repairs what it was folded onto`() async throws {
        let texts = (0..<3).map { EventText("\($0)", "created", key: "a", data: 1).json }
        let world = try await World.logged(texts)
        let projection = Worker(1, world, Self.setting { ($0.events, $0.gathered) = (1, 2) }).projections[0]
        for _ in 0..<2 { #expect(try await !projection.turn([], tail: nil)) }
        #expect(await world.mongo.checkpoints[Self.build]?.offset == 2)
        #expect(try await !projection.turn([], tail: nil))
        await world.change { _, mongo in
            let repaired = StoredDocument(key: "a", position: DocumentPosition(partition: 0, offset: 1, time: 7), fields: ["n": 41])
            mongo.documents[Self.build] = [ExactString("a"): repaired.bson]
            mongo.checkpoints[Self.build]?.generation += 1
        }
        _ = try await projection.catchUp()
        let stored = try #require(await world.mongo.documents[Self.build]?[ExactString("a")])
        #expect(try StoredDocument(Document(bson: stored))?.fields["n"] == 42)
    }

    @Test func `a document that somebody has made meanwhile is met again, and written anew`() async throws {
        let world = try await World.logged((0..<4).map { EventText("\($0)", "created", key: "a", data: 1).json })
        let projection = Worker(1, world, Self.setting { $0.events = 2 }).projections[0]
        #expect(try await !projection.turn([], tail: nil))
        await world.change { _, mongo in mongo.documents[Self.build] = [ExactString("a"): BSON.encode(["_id": "a", "n": 99])] }
        _ = try await projection.catchUp()
        let stored = try #require(await world.mongo.documents[Self.build]?[ExactString("a")])
        #expect(try StoredDocument(Document(bson: stored))?.fields["n"] == 4)
        #expect(await world.mongo.checkpoints[Self.build]?.totals.drift == 1)
    }

    @Test func `more than one transaction takes is committed in parts`() async throws {
        let texts = (0..<40).map { EventText("\($0)", "created", key: "a", data: 1).json }
        let world = try await World.logged(texts)
        await world.change { _, mongo in mongo.mostElements = 9 }
        let setting = Self.setting()
        let projection = Worker(1, world, setting).projections[0]
        var failures = 0
        while true {
            do {
                _ = try await projection.catchUp()
                break
            } catch is StoreLost {
                failures += 1
                try #require(failures < 100)
            }
        }
        #expect(failures > 0)
        try Expected(texts, setting.stream, setting.builds).check(await world.mongo, "in parts")
    }

    /// Each call fails once, before it takes effect or when only the reply is lost.
    @Test(arguments: Seed.ofThisRun) func `a rebuild's fold goes on after every failure`(seed: Seed) async throws {
        var random = Random(seed)
        let texts = random.texts(30, types: Commerce.types)
        let setting = Self.setting()
        let expected = Expected(texts, setting.stream, setting.builds)
        var call = 1
        while true {
            var hasFailed = false
            for isReplyLost in [false, true] {
                let world = try await World.logged(texts)
                await world.failLater(.init(call: call, isReplyLost: isReplyLost))
                let ports = Ports(world, 1, limit: setting.stream.maxEventBytes)
                let place = RebuildFold.Place(PartitionID(stream: setting.stream.name, number: 0), store: ports.store, log: ports.log)
                let fold = RebuildFold(Self.build, Commerce.productFold, [place], limits: setting.limits, logger: .silent)
                try await fold.catchUp()
                try expected.check(await world.mongo, "call \(call), reply lost: \(isReplyLost)")
                hasFailed = await world.hasFailed
            }
            guard hasFailed else { break }
            call += 1
        }
        // Each batch's reading of the log is a call at least.
        #expect(call > texts.count / setting.limits.events)
    }
}
