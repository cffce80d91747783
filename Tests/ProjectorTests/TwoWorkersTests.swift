import EventFixtures
import Events
import Fixtures
import Models
import Projector
import Testing
import Values

/// Workers on one partition that know nothing of each other, call by call in an order that the seed decides: no lease
/// holds them apart, the fence is lost now and then, and calls fail.
@Suite struct TwoWorkersTests {
    /// What happens beside the workers' calls.
    struct Weather: Sendable {
        var workers = 2
        /// One call in so many fails; 0 for none.
        var failures = 0
        var losesFence = false
        /// Redis goes back to an older state, and the producer pushes again from there.
        var rewinds = false
    }

    private static func setting(_ random: inout Random) -> Worker.Setting {
        var stream = TestLog.settings
        stream.chunkEvents = 2 + random.below(6)
        stream.maxEventBytes = .kibibytes(1)
        var setting = Worker.Setting(stream: stream, builds: Commerce.builds)
        setting.limits.events = 3 + random.below(8)
        setting.limits.documents = 2 + random.below(4)
        setting.limits.cache = ByteCount(random.pick([0, 2000, 1 << 20]))
        setting.events = 3 + random.below(10)
        return setting
    }

    private func run(_ seed: Seed, round: Int, _ weather: Weather) async throws {
        var random = Random(seed, round: round)
        let setting = Self.setting(&random)
        // What has no id cannot be known again when Redis brings it twice.
        let texts =
            weather.rewinds
            ? (0..<40).map { EventText("\($0)", random.pick(Commerce.types), key: .string(random.pick(Random.keys)), data: random.integer()).json }
            : random.texts(40, types: Commerce.types)
        let producer = weather.workers
        let turns = Turns(random, workers: Set(0...producer), failures: weather.failures)
        let world = World(turns: turns)
        let comment = "round \(round)"
        await withTaskGroup(of: Void.self) { group in
            for number in 0..<weather.workers {
                group.addTask {
                    do { try await work(Worker(number, world, setting), comment) } catch { Issue.record(error, "\(comment)") }
                    await turns.leave(number)
                }
            }
            let weatherRandom = Random(seed, round: -1 - round)
            group.addTask { await push(texts, world, turns, producer, weather, weatherRandom) }
        }
        let mongo = await world.mongo
        if weather.rewinds {
            try checkRewound(mongo, texts, setting, comment)
        } else {
            try Expected(texts, setting.stream, setting.builds).check(mongo, comment)
        }
    }

    private func work(_ worker: Worker, _ comment: String) async throws {
        let builds = worker.setting.builds.map(\.build)
        var epoch = Int64(worker.number)
        for _ in 0..<3000 {
            if await worker.world.isDone(builds, list: worker.list) { return }
            // As a lease holder does who finds himself below the fence.
            if let fence = try await worker.step(epoch: epoch) { epoch = fence + 1 }
        }
        Issue.record("does not end: \(comment)")
    }

    private func push(_ texts: [String], _ world: World, _ turns: Turns, _ producer: Int, _ weather: Weather, _ seeded: Random) async {
        var random = seeded
        var next = 0
        var older: [(redis: FakeRedis, next: Int)] = []
        while next < texts.count {
            _ = await turns.wait(producer)
            let lot = Array(texts[next..<min(texts.count, next + random.below(9))])
            next += lot.count
            await world.change { redis, _ in redis.list += lot }
            if weather.losesFence, random.once(in: 3) { await world.change { redis, _ in redis.fence = 0 } }
            guard weather.rewinds else { continue }
            older.append((await world.redis, next))
            guard older.count < 12, random.once(in: 3) else { continue }
            let (state, place) = random.pick(older)
            let losesIdentity = random.once(in: 2)
            let run = "run-\(older.count + 1)"
            await world.change { redis, _ in
                redis = state
                redis.run = run
                // The file ends between the renaming and the setting of the identity.
                if losesIdentity { redis.identity = nil }
            }
            next = place
        }
        await world.close()
        await turns.leave(producer)
    }

    /// The log holds every element once, in the order of pushing, with markers in between; the documents are what it makes.
    private func checkRewound(_ mongo: FakeMongo, _ texts: [String], _ setting: Worker.Setting, _ comment: String) throws {
        let chunks = try mongo.chunks { _ in true }.map(DecodedChunk.init(parsing:))
        let bytes = chunks.flatMap { Expected.elements(of: $0.chunk) }.filter { $0.kind != .duplicate }.map(\.bytes)
        #expect(bytes == texts.map { Array($0.utf8) }, "\(comment)")
        try Expected(chunks, setting.builds).check(mongo, comment)
    }

    @Test(arguments: Seed.ofThisRun) func `two at once, nothing fails`(seed: Seed) async throws {
        for round in 0..<60 { try await run(seed, round: round, Weather()) }
    }

    @Test(arguments: Seed.ofThisRun) func `two at once, calls fail and the fence is lost`(seed: Seed) async throws {
        for round in 100..<180 { try await run(seed, round: round, Weather(failures: 15, losesFence: true)) }
    }

    @Test(arguments: Seed.ofThisRun) func `three at once`(seed: Seed) async throws {
        for round in 200..<230 { try await run(seed, round: round, Weather(workers: 3, failures: 25, losesFence: true)) }
    }

    @Test(arguments: Seed.ofThisRun) func `Redis goes back to older states under two workers`(seed: Seed) async throws {
        for round in 300..<400 { try await run(seed, round: round, Weather(failures: 30, losesFence: true, rewinds: true)) }
    }
}
