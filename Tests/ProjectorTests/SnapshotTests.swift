import EventFixtures
import Events
import Fixtures
import Logging
import Models
import Testing
import Values

@testable import Projector

/// What a snapshot says is what the log says, whatever it was made from.
@Suite struct SnapshotTests {
    private static let partition = PartitionID(stream: "test", number: 0)

    private static func definition(_ fold: EffectFold, hash: String = "h") -> FoldDefinition {
        FoldDefinition(build: Commerce.product, foldHash: hash, foldVersion: 3, fold: fold)
    }

    private static func fold(_ policy: ErrorPolicy = .skip, lifetime: Duration? = nil) -> EffectFold {
        var fold = Commerce.productFold
        fold.errorPolicy = policy
        fold.lifetime = lifetime
        return fold
    }

    /// Small ones, so that a few documents take several pages, blocks and tries.
    private static func limits(_ random: inout Random) -> SnapshotRun.Limits {
        var limits = SnapshotRun.Limits()
        limits.keys = 1 + random.below(5)
        limits.bytes = ByteCount(random.pick([1, 200, 1 << 20]))
        limits.blockKeys = 1 + random.below(3)
        return limits
    }

    private static func log(_ random: inout Random, texts: Int) -> TestLog {
        let log = TestLog()
        log.settings.chunkEvents = 1 + random.below(6)
        for text in random.texts(texts, types: Commerce.types) {
            log.append([text])
            log.clock += random.pick([0, 0, 1, 20_000, 59_999, 60_000])
        }
        return log
    }

    /// The documents as batches make them, in another way than a snapshot goes.
    private static func documents(_ log: TestLog, _ fold: EffectFold, to end: Int64) throws -> [ExactString: [UInt8]] {
        var rehearsal = Rehearsal(fold: fold, build: Commerce.product, documents: [], from: 0)
        if end > 0 { try rehearsal.take(log.chunks, to: end) }
        return rehearsal.documents
    }

    @Test(arguments: Seed.ofThisRun) func `a snapshot made from any before it has the documents that the log makes`(seed: Seed) async throws {
        for round in 0..<60 {
            var random = Random(seed, round: round)
            let log = Self.log(&random, texts: 60)
            let fold = Self.fold(random.pick([.skip, .hold]), lifetime: random.pick([nil, .seconds(60)]))
            let store = FakeSnapshots(log.chunks)
            for offset in (0..<6).map({ _ in Int64(random.below(Int(log.end) + 1)) }) {
                let run = SnapshotRun(Self.definition(fold), Self.partition, store: store, log: store, limits: Self.limits(&random))
                let (snapshot, base) = try await run.make(at: offset, for: .history, keep: 10)
                let rows = await store.rows(of: snapshot)
                let comment: Comment = "round \(round), \(offset) from \(base?.id.offset ?? -1)"
                #expect(rows.map(\.key) == rows.map(\.key).sorted(), comment)
                let found = Dictionary(rows.filter { !$0.bson.isEmpty }.map { ($0.key, $0.bson) }, uniquingKeysWith: { $1 })
                #expect(found == (try Self.documents(log, fold, to: offset)), comment)
                #expect(snapshot.isComplete && Int(snapshot.rows) == rows.count && Int(snapshot.documents) == found.count, comment)
            }
        }
    }

    @Test func `only what the log has had since is read, and a page is bounded`() async throws {
        let log = TestLog()
        log.settings.chunkEvents = 10
        log.append((0..<1000).map { EventText("\($0)", "created", key: .string("k\($0)"), data: 1).json })
        let store = FakeSnapshots(log.chunks)
        var limits = SnapshotRun.Limits()
        limits.blockKeys = 10
        let run = SnapshotRun(Self.definition(Self.fold()), Self.partition, store: store, log: store, limits: limits)
        _ = try await run.make(at: 900, for: .history, keep: 3)
        await store.forgetReading()
        let (snapshot, base) = try await run.make(at: 950, for: .history, keep: 3)
        #expect(base?.id.offset == 900 && snapshot.documents == 950)
        #expect(await store.elementsRead <= 60)
        #expect(await store.mostRows <= 80)
    }

    @Test func `a decision about an event before it, or another definition, makes a snapshot stale`() async throws {
        let log = TestLog()
        log.append((0..<10).map { EventText("\($0)", "created", key: "k", data: .int32(Int32($0))).json })
        let store = FakeSnapshots(log.chunks)
        func make(_ hash: String = "h") async throws -> Snapshot? {
            let run = SnapshotRun(Self.definition(Self.fold(), hash: hash), Self.partition, store: store, log: store)
            let (snapshot, base) = try await run.make(at: 10, for: .history, keep: 3)
            let document = try #require(await store.rows(of: snapshot).first)
            let decided = await store.decisions(on: "product", Self.partition)
            #expect(try Document(bson: document.bson)["n"] == .int32(Int32(10 - decided.keys.count { $0 < 10 })))
            return base
        }
        #expect(try await make() == nil)
        #expect(try await make()?.id.offset == 10)
        await store.decide(.dropped, at: 3)
        #expect(try await make() == nil)
        #expect(try await make()?.id.offset == 10)
        // One about an event behind it does not concern it; another kind of decision does.
        await store.decide(.dropped, at: 10)
        #expect(try await make()?.id.offset == 10)
        await store.decide(.crashParked, at: 3)
        #expect(try await make() == nil)
        await store.decide(nil, at: 3)
        #expect(try await make() == nil)
        #expect(try await make("other") == nil)
        #expect(await store.snapshots(of: Self.partition).count == 1, "what is stale is removed")
    }

    @Test func `another build of the same definition goes on with them, and one of another definition removes them`() async throws {
        let log = TestLog()
        log.append((0..<10).map { EventText("\($0)", "created", key: "k", data: 1).json })
        let store = FakeSnapshots(log.chunks)
        func make(_ build: Int, _ hash: String, at offset: Int64) async throws -> Int64? {
            var definition = Self.definition(Self.fold(), hash: hash)
            definition.build.number = build
            let run = SnapshotRun(definition, Self.partition, store: store, log: store)
            return try await run.make(at: offset, for: .history, keep: 2).base?.id.offset
        }
        #expect(try await make(1, "h", at: 4) == nil)
        #expect(try await make(2, "h", at: 6) == 4)
        #expect(try await make(3, "h", at: 8) == 6)
        #expect(await store.snapshots(of: Self.partition).map(\.id.offset).sorted() == [6, 8])
        #expect(try await make(4, "other", at: 9) == nil)
        #expect(await store.snapshots(of: Self.partition).map(\.id.offset) == [9])
    }

    @Test func `an attempt that dies is never used, and what it left is removed by the next`() async throws {
        let log = TestLog()
        log.append((0..<40).map { EventText("\($0)", "created", key: .string("k\($0)"), data: 1).json })
        let store = FakeSnapshots(log.chunks)
        var limits = SnapshotRun.Limits()
        limits.blockKeys = 1
        let run = SnapshotRun(Self.definition(Self.fold()), Self.partition, store: store, log: store, limits: limits)
        await store.fail(afterBlocks: 20)
        await #expect(throws: StoreLost.self) { try await run.make(at: 40, for: .history, keep: 3) }
        #expect(await store.blocks.count == 1)
        await store.fail(afterBlocks: .max)
        let (snapshot, base) = try await run.make(at: 40, for: .history, keep: 3)
        #expect(base == nil && snapshot.documents == 40)
        #expect(await store.blocks.count == 1)
        #expect(await store.snapshots(of: Self.partition).count == 1)
    }

    @Test func `a key is erased from all of them, and the others stay to go on from`() async throws {
        let log = TestLog()
        log.settings.chunkEvents = 4
        log.append((0..<24).map { EventText("\($0)", "created", key: .string("k\($0 % 12)"), data: .int32(Int32($0))).json })
        let store = FakeSnapshots(log.chunks)
        var limits = SnapshotRun.Limits()
        limits.blockKeys = 1
        let run = SnapshotRun(Self.definition(Self.fold()), Self.partition, store: store, log: store, limits: limits)
        await store.decide(.dropped, at: 3)
        await store.decide(.dropped, at: 4)
        _ = try await run.make(at: 5, for: .monthEnd, keep: 3)
        let (before, _) = try await run.make(at: 12, for: .history, keep: 3)
        let rows = await store.rows(of: before)
        // Somebody is at one, and another tells an older truth.
        var unfinished = before
        unfinished.id.attempt = "unfinished"
        unfinished.isComplete = false
        await store.begin(unfinished)

        let erasure = SnapshotErasure(store, logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
        // Of the first there is no row, and both are without the decision about it before that is gone.
        for (key, touched) in [("k3", 3), ("k3", 0), ("k7", 1), ("k0", 2), ("none", 0)] as [(String, Int64)] {
            if key == "k7" { await store.decide(nil, at: 3) }
            #expect(try await erasure.erase(key, of: Self.partition) == touched, "\(key)")
        }
        let erased = await store.snapshots(of: Self.partition).sorted { $0.id.offset < $1.id.offset }
        #expect(erased.map(\.id.offset) == [5, 12] && erased.map(\.purpose) == [.monthEnd, .history])
        let left = await store.rows(of: erased[1])
        #expect(left == rows.filter { !["k0", "k3", "k7"].contains($0.key.text) })
        #expect(erased[1].documents == before.documents - 2 && erased[1].rows == Int64(left.count))
        #expect(erased[1].bytes == left.reduce(0) { $0 + Int64($1.bson.count) })
        // The next one goes on from it, past blocks of which nothing is left.
        let (next, base) = try await run.make(at: 24, for: .history, keep: 3)
        #expect(base?.id == before.id)
        let keys = await store.rows(of: next).map(\.key.text)
        #expect(keys == keys.sorted() && keys.contains("k11"))
    }

    @Test func `one that lost a block is replaced, and history goes without it`() async throws {
        let log = TestLog()
        log.append((0..<10).map { EventText("\($0)", "created", key: "k", data: .int32(Int32($0))).json })
        let store = FakeSnapshots(log.chunks)
        let run = SnapshotRun(Self.definition(Self.fold()), Self.partition, store: store, log: store)
        let first = try await run.make(at: 5, for: .history, keep: 3).snapshot
        await store.loseBlock(of: first.id)
        let past = PastDocuments(Self.definition(Self.fold()), Self.partition, snapshots: store, log: store)
        let (document, base) = try await past.document(of: "k", below: 8)
        #expect(document?.fields["n"] == 8 && base == nil)
        let (second, none) = try await run.make(at: 8, for: .history, keep: 3)
        #expect(none == nil)
        #expect(await store.snapshots(of: Self.partition).map(\.id) == [second.id])
        #expect(try await past.document(of: "k", below: 9).base?.id == second.id)
        #expect(try await past.document(of: "k", below: 7).document?.fields["n"] == 7)
    }

    @Test func `the newest of each purpose are kept`() async throws {
        let log = TestLog()
        log.append((0..<10).map { EventText("\($0)", "created", key: "k", data: 1).json })
        let store = FakeSnapshots(log.chunks)
        let run = SnapshotRun(Self.definition(Self.fold()), Self.partition, store: store, log: store)
        for offset in 1...4 { _ = try await run.make(at: Int64(offset), for: .history, keep: 2) }
        for offset in 5...8 { _ = try await run.make(at: Int64(offset), for: .reconcile, keep: 1) }
        #expect(await store.snapshots(of: Self.partition).map(\.id.offset).sorted() == [3, 4, 8])
        // One that is there is used, and kept for what it is asked for.
        _ = try await run.make(at: 8, for: .history, keep: 2)
        #expect(await store.snapshots(of: Self.partition).sorted { $0.id.offset < $1.id.offset }.map(\.purpose) == [.history, .history])
    }

    @Test func `months' ends are counted by themselves, and what is one stays one`() async throws {
        let log = TestLog()
        log.append((0..<10).map { EventText("\($0)", "created", key: "k", data: 1).json })
        let store = FakeSnapshots(log.chunks)
        let run = SnapshotRun(Self.definition(Self.fold()), Self.partition, store: store, log: store)
        // The last one before another is as old as that: a month's end may lie before what was taken since.
        _ = try await run.make(at: 4, for: .history, keep: 2)
        let (end, _) = try await run.make(at: 3, for: .monthEnd, keep: 2)
        #expect(end.id.offset == 3 && end.purpose == .monthEnd)
        #expect(try await run.make(at: 4, for: .monthEnd, keep: 2).snapshot.purpose == .monthEnd)
        #expect(try await run.make(at: 4, for: .history, keep: 2).snapshot.purpose == .monthEnd)
        for offset in 5...8 { _ = try await run.make(at: Int64(offset), for: .history, keep: 1) }
        #expect(await store.snapshots(of: Self.partition).map(\.id.offset).sorted() == [3, 4, 8])
    }
}
