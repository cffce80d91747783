import EventFixtures
import Events
import Fixtures
import Models
import Testing
import Values

@testable import Projector

/// `ttl`: an event that is logged after a document's expiry finds it absent, and it is removed at some time.
@Suite struct ExpiryTests {
    private static let build = Commerce.product
    private static let lifetime = Int64(60_000)

    private static let fold = {
        var fold = Commerce.productFold
        fold.lifetime = .seconds(60)
        return fold
    }()

    private static let setting = {
        var stream = TestLog.settings
        stream.chunkEvents = 4
        return Worker.Setting(stream: stream, builds: [(build, fold)])
    }()

    /// What a plain fold with the log's times makes, element by element.
    private static func plain(_ chunks: [DecodedChunk], to end: Int64) -> [ExactString: StoredDocument] {
        var documents: [ExactString: StoredDocument] = [:]
        var now: Int64 = 0
        for chunk in chunks where chunk.chunk.offset < end {
            now = chunk.chunk.at
            for place in 0..<min(chunk.chunk.count, Int(end - chunk.chunk.offset)) {
                guard let event = chunk.event(at: place), fold.handles(event.type) else { continue }
                let key = ExactString(event.key)
                let before = documents[key].flatMap { ($0.expires ?? 0) > now ? $0 : nil }
                var fields = before?.fields
                guard let changed = try? fold.fold(event, into: &fields) else { continue }
                if !changed {
                    documents[key] = before
                    continue
                }
                let position = DocumentPosition(partition: 0, offset: chunk.chunk.offset + Int64(place), time: event.time ?? now)
                documents[key] = fields.map { StoredDocument(key: event.key, position: position, expires: now + lifetime, fields: $0) }
            }
        }
        return documents.filter { ($0.value.expires ?? 0) > now }
    }

    @Test(arguments: Seed.ofThisRun) func `however the log is cut, the documents are those of a plain fold by the log's times`(seed: Seed) throws {
        for round in 0..<6 {
            var random = Random(seed, round: round)
            let log = TestLog()
            log.settings.chunkEvents = 1 + random.below(6)
            for text in random.texts(50, types: Commerce.types) {
                log.append([text])
                log.clock += random.pick([0, 0, 1, 20_000, 59_999, 60_000])
            }
            let end = try #require(log.chunks.last?.chunk.end)
            for size in 1...Int(end) {
                var rehearsal = Rehearsal(fold: Self.fold, build: Self.build, documents: [], from: 0)
                for offset in stride(from: Int64(size), to: end + Int64(size), by: size) {
                    try rehearsal.take(log.chunks, to: min(offset, end))
                    let stored = try rehearsal.documents.mapValues { try StoredDocument(Document(bson: $0)) }
                    #expect(stored == Self.plain(log.chunks, to: min(offset, end)), "round \(round), batches of \(size)")
                }
            }
        }
    }

    private static func created(_ id: Int, _ key: String) -> String { EventText("\(id)", "created", key: .string(key), data: .int32(Int32(id))).json }

    private static func push(_ world: World, _ texts: [String], after time: Int64 = 0) async {
        await world.change { redis, mongo in
            mongo.clock += time
            redis.list += texts
        }
    }

    @Test func `what has expired is removed when the log's time has passed it, a few at once, and counted`() async throws {
        let world = World()
        var setting = Self.setting
        setting.limits.documents = 2
        let worker = Worker(0, world, setting)
        await Self.push(world, (1...7).map { Self.created($0, "k\($0)") })
        try await worker.run { $0.redis.isEmpty && $0.mongo.checkpoints[Self.build]?.offset == 7 }
        // Time alone removes nothing: the fold has no clock.
        await Self.push(world, [], after: 2 * Self.lifetime)
        for _ in 0..<5 { _ = try await worker.step(epoch: 1) }
        #expect(await world.mongo.documents[Self.build]?.count == 7)

        await Self.push(world, [Self.created(8, "k8")])
        try await worker.run { $0.mongo.checkpoints[Self.build]?.totals.inserted == 8 }
        #expect(await world.mongo.documents[Self.build]?.count == 6, "two went with the batch")
        try await worker.run { $0.mongo.documents[Self.build]?.count == 1 }
        let totals = try #require(await world.mongo.checkpoints[Self.build]).totals
        #expect(totals.deleted == 7 && totals.drift == 0 && totals.logged == 8 && totals.applied == 8)
        let commits = await world.mongo.commits
        for _ in 0..<3 { _ = try await worker.step(epoch: 1) }
        #expect(await world.mongo.commits == commits)

        // What was removed is not remembered.
        await Self.push(world, [Self.created(9, "k1")])
        await world.close()
        try await worker.finish()
        #expect(await world.mongo.mismatches == 0)
        let stored = try #require(await world.mongo.documents[Self.build]?[ExactString("k1")])
        #expect(try StoredDocument(Document(bson: stored))?.fields == ["first": 9, "n": 1])
    }

    @Test func `a document that has expired and is still stored counts as absent`() async throws {
        let world = World()
        var setting = Self.setting
        setting.limits.documents = 1
        let worker = Worker(0, world, setting)
        await Self.push(world, [Self.created(1, "a"), Self.created(2, "b")])
        try await worker.run { $0.mongo.documents[Self.build]?.count == 2 }
        // In one batch: only one of them can be removed before the other's event.
        await Self.push(world, [Self.created(3, "c"), Self.created(4, "b")], after: Self.lifetime)
        await world.close()
        try await worker.finish()
        let stored = try #require(await world.mongo.documents[Self.build]?[ExactString("b")])
        let document = try #require(try StoredDocument(Document(bson: stored)))
        #expect(document.fields == ["first": 4, "n": 1])
        #expect(await document.expires == world.mongo.clock + Self.lifetime)
    }

    @Test func `a worker whose removal somebody else has done begins with what is stored`() async throws {
        let world = World()
        let (first, second) = (Worker(0, world, Self.setting), Worker(1, world, Self.setting))
        await Self.push(world, [Self.created(1, "a"), Self.created(2, "b")])
        try await first.run { $0.redis.isEmpty && $0.mongo.checkpoints[Self.build]?.offset == 2 }
        await Self.push(world, [Self.created(3, "c")], after: Self.lifetime)
        try await first.run { $0.mongo.documents[Self.build]?.count == 1 }
        // It has the documents in memory from before, and another has removed them.
        await world.change { _, mongo in
            mongo.documents[Self.build]?[ExactString("c")] = nil
            mongo.checkpoints[Self.build]?.totals.deleted += 1
        }
        await Self.push(world, [Self.created(4, "c")], after: Self.lifetime)
        await world.close()
        try await first.finish()
        try await second.finish()
        #expect(await world.mongo.mismatches == 0)
        #expect(await world.mongo.checkpoints[Self.build]?.totals.drift == 0)
    }

    @Test func `an explanation begins anew with a document that has expired`() throws {
        let log = TestLog()
        log.append([Self.created(1, "a"), EventText("2", "changed", key: "a", data: 1).json])
        log.clock += Self.lifetime
        log.append([Self.created(3, "a")])
        var explanation = Explanation(of: "a", build: Self.build, fold: Self.fold, decisions: [:])
        for chunk in log.chunks { explanation.take(chunk) }
        #expect(explanation.fields.map { $0.path.joined() } == ["first", "n"])
        #expect(explanation.fields.map(\.madeBy.id) == ["3", "3"])
        #expect(explanation.document?.expires == log.clock + Self.lifetime)
    }
}
