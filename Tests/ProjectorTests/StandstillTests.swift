import EventFixtures
import Events
import Fixtures
import Models
import Testing
import Values

@testable import Projector

/// `onError: stop`: what a model cannot take stops it there.
@Suite struct StandstillTests {
    private static let build = Commerce.product

    private static let fold = {
        var fold = Commerce.productFold
        fold.errorPolicy = .stop
        return fold
    }()

    private static let setting = {
        var stream = TestLog.settings
        stream.chunkEvents = 4
        return Worker.Setting(stream: stream, builds: [(build, fold), (Commerce.audit, Commerce.auditFold)])
    }()

    /// The model takes nothing of a key that has been deleted, and of no other.
    private static func texts(_ random: inout Random) -> [String] {
        random.texts(40, types: ["created", "created", "changed", "unknown"]) + [EventText("stop", "copied", key: "nobody").json]
            + random.texts(20, types: Commerce.types)
    }

    private static func chunks(_ texts: [String], chunkEvents: Int) -> [DecodedChunk] {
        var settings = TestLog.settings
        settings.chunkEvents = chunkEvents
        return TestLog(settings: settings).append(texts)
    }

    @Test(arguments: Seed.ofThisRun) func `however the log is cut, everything before the event takes effect, and nothing behind it`(seed: Seed) throws {
        for round in 0..<6 {
            var random = Random(seed, round: round)
            let chunks = Self.chunks(Self.texts(&random), chunkEvents: 1 + random.below(12))
            let end = try #require(chunks.last?.chunk.end)
            var whole = Rehearsal(fold: Self.fold, build: Self.build, documents: [], from: 0)
            try whole.take(chunks, to: end)
            let stopped = try #require(whole.stopped)
            #expect(stopped.build == Self.build && stopped.offset <= 40)
            // A plain fold of what comes before parks nothing that is an event, and stops nowhere.
            var plain = Rehearsal(fold: Commerce.productFold, build: Self.build, documents: [], from: 0)
            try plain.take(chunks, to: stopped.offset)
            #expect(plain.deadLetters.allSatisfy { $0.build == nil })
            #expect(whole.documents == plain.documents && whole.deadLetters == plain.deadLetters && whole.totals == plain.totals)
            for size in 1...Int(end) {
                var cut = Rehearsal(fold: Self.fold, build: Self.build, documents: [], from: 0)
                for offset in stride(from: Int64(size), to: end + Int64(size), by: size) { try cut.take(chunks, to: min(offset, end)) }
                #expect(cut.documents == whole.documents && cut.totals == whole.totals && cut.stopped == stopped, "round \(round), batches of \(size)")
            }
        }
    }

    @Test(arguments: Seed.ofThisRun) func `a batch that goes on takes everything before the event, and nothing behind it`(seed: Seed) async throws {
        for round in 0..<12 {
            var random = Random(seed, round: round)
            let world = try await World.logged(Self.texts(&random))
            var setting = Self.setting
            (setting.limits.events, setting.limits.gathered) = (1 + random.below(9), 1000)
            _ = try await Worker(1, world, setting).projections[0].catchUp()
            let mongo = await world.mongo
            let chunks = mongo.chunks { _ in true }.map { DecodedChunk(parsing: $0) }
            var whole = Rehearsal(fold: Self.fold, build: Self.build, documents: [], from: 0)
            try whole.take(chunks, to: try #require(chunks.last?.chunk.end))
            let stopped = try #require(whole.stopped)
            let checkpoint = try #require(mongo.checkpoints[Self.build])
            #expect(checkpoint.stopped == stopped && checkpoint.offset == stopped.offset, "round \(round)")
            #expect(mongo.documents[Self.build] ?? [:] == whole.documents, "round \(round)")
            #expect(checkpoint.time == chunks.last { $0.chunk.offset < stopped.offset }?.chunk.at ?? 0, "round \(round)")
        }
    }

    @Test func `a batch that stops at the first element it goes on with keeps the time of those before`() async throws {
        let world = try await World.logged([EventText("1", "created", key: "a", data: 1), EventText("2", "copied", key: "c")].map(\.json))
        var setting = Self.setting
        (setting.limits.events, setting.limits.gathered) = (1, 1000)
        _ = try await Worker(1, world, setting).projections[0].catchUp()
        let mongo = await world.mongo
        let checkpoint = try #require(mongo.checkpoints[Self.build])
        #expect(checkpoint.offset == 1 && checkpoint.stopped?.offset == 1 && mongo.commits == 1)
        #expect(try checkpoint.time == #require(mongo.chunks { _ in true }.first).at)
    }

    @Test func `the others go on, and a restart changes nothing until the event can be taken`() async throws {
        let world = World()
        let before = [EventText("1", "created", key: "a", data: 1), EventText("2", "created", key: "b", data: 2)]
        let stop = EventText("3", "copied", key: "c")
        let after = [EventText("4", "created", key: "a", data: 4), EventText("5", "created", key: "c", data: 5)]
        await world.change { redis, _ in redis.list = (before + [stop] + after).map(\.json) }
        let worker = Worker(0, world, Self.setting)
        try await worker.run { $0.redis.isEmpty && $0.mongo.checkpoints[Commerce.audit]?.offset == 5 && $0.mongo.checkpoints[Self.build]?.stopped != nil }

        let checkpoint = try #require(await world.mongo.checkpoints[Self.build])
        let stopped = try #require(checkpoint.stopped)
        #expect(checkpoint.offset == 2 && stopped.offset == 2 && stopped.eventId == "3" && stopped.key == "c" && stopped.refusal.problem == .missingValue)
        #expect([checkpoint.totals.logged, checkpoint.totals.applied, checkpoint.totals.parked, checkpoint.totals.inserted] == [2, 2, 0, 2])
        #expect(await world.mongo.deadLetters.allSatisfy { $0.build == Commerce.audit })
        #expect(await world.mongo.documents[Self.build]?.keys.map(\.text).sorted() == ["a", "b"])
        let commits = await world.mongo.commits
        // It asks for nothing while it stands: the next call would fail.
        await world.fail(.init(call: 1, isReplyLost: false))
        #expect(try await worker.projections[0].turn([], tail: nil))
        #expect(await !world.hasFailed)
        await world.fail(.init(call: 0, isReplyLost: false))
        // Nor does one that comes after it write anything; it finds the same.
        let next = Worker(1, world, Self.setting)
        for _ in 0..<3 { _ = try await next.step(epoch: 1) }
        #expect(await next.projections[0].stopped == stopped)
        #expect(await world.mongo.commits == commits)

        var setting = Self.setting
        setting.builds[0].fold.errorPolicy = .skip
        await world.close()
        try await Worker(2, world, setting).finish()
        let expected = Expected((before + [stop] + after).map(\.json), setting.stream, setting.builds)
        try expected.check(await world.mongo, "taken up again under another policy")
        #expect(await world.mongo.checkpoints[Self.build]?.stopped == nil)
    }

    @Test(arguments: [Decision.dropped, .crashParked]) func `what was decided about the event holds`(decision: Decision) async throws {
        let world = World()
        await world.change { redis, _ in redis.list = [EventText("1", "copied", key: "a"), EventText("2", "created", key: "b")].map(\.json) }
        await world.change { _, mongo in
            var letter = DeadLetter(
                build: BuildID(model: Self.build.model, number: 7), partition: PartitionID(stream: "test", number: 0), offset: 0,
                refusal: Refusal(.badOperand, "then"), key: "a", type: "copied", at: 1)
            letter.decision = decision
            mongo.deadLetters = [letter]
        }
        let worker = Worker(0, world, Self.setting)
        try await worker.run { $0.redis.isEmpty && $0.mongo.checkpoints[Commerce.audit]?.offset == 2 }
        let checkpoint = try #require(await world.mongo.checkpoints[Self.build])
        #expect(checkpoint.offset == (decision == .dropped ? 2 : 0) && checkpoint.totals.ignored == (decision == .dropped ? 1 : 0))
        #expect(checkpoint.stopped?.refusal.problem == (decision == .dropped ? nil : .crashParked))
    }
}
