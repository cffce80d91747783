import EventFixtures
import Events
import Fixtures
import Logging
import Models
import Projector
import Testing
import Values

/// The worker with its clocks: the lease, the wait after a failure, ingest a batch ahead of project, and the stop.
@Suite(.timeLimit(.minutes(2))) struct PartitionWorkerTests {
    private static let builds = Commerce.builds.map(\.build)

    private static func worker(_ number: Int, _ world: World, lease: Duration = .seconds(10), stop: StopSignal) -> PartitionWorker {
        var stream = TestLog.settings
        stream.chunkEvents = 4
        var setting = Worker.Setting(stream: stream, builds: Commerce.builds)
        setting.limits.events = 6
        let parts = Worker(number, world, setting)
        var settings = PartitionWorker.Settings()
        settings.lease = lease
        settings.poll = .milliseconds(1)
        settings.limits = setting.limits
        return PartitionWorker(
            partition: PartitionID(stream: "test", number: 0), list: parts.list, ingest: parts.ingest, builds: ProjectedBuilds(parts.projections),
            store: FakeStore(world: world, worker: number), leases: FakeLeases(world: world, worker: number), holder: "worker-\(number)", settings: settings,
            stop: stop,
            logger: .silent
        )
    }

    /// Runs one worker until everything is done, and stops it. Whether the failure came to pass.
    private func run(_ texts: [String], _ failure: World.Failure) async throws -> Bool {
        let world = World(failure: failure)
        await world.change { redis, _ in redis.list = texts }
        await world.close()
        let stop = StopSignal()
        let worker = Self.worker(0, world, stop: stop)
        async let running: Void = worker.run()
        await world.wait { $0.isDone(Self.builds) }
        stop.request()
        await running
        try Expected(texts, TestLog.settings, Commerce.builds).check(await world.mongo, "\(failure)")
        #expect(worker.report.stopped == nil, "\(failure)")
        return await world.hasFailed
    }

    /// It would have reached the checkpoint again before that was looked at, and what is logged below it never takes effect.
    @Test func `nothing is appended to a log that ends below a checkpoint`() async throws {
        let world = World()
        var checkpoint = Checkpoint(build: Self.builds[0], partition: PartitionID(stream: "test", number: 0))
        checkpoint.offset = 3
        let stored = checkpoint
        await world.change { redis, mongo in
            redis.list = (0..<9).map { EventText("\($0)", "created").json }
            mongo.checkpoints[Self.builds[0]] = stored
        }
        let stop = StopSignal()
        let worker = Self.worker(0, world, stop: stop)
        async let running: Void = worker.run()
        while worker.report.stopped == nil { try await Task.sleep(for: .milliseconds(1)) }
        stop.request()
        await running
        #expect((worker.report.stopped as? Refusal)?.problem == .logDamaged)
        #expect(await world.mongo.end == 0)
        #expect(await world.redis.list.count == 9)
    }

    @Test(arguments: Seed.ofThisRun) func `every call fails once`(seed: Seed) async throws {
        var random = Random(seed)
        let texts = random.texts(18, types: Commerce.types)
        // Many at once: each waits for a while after its failure.
        for first in stride(from: 1, through: .max, by: 30) {
            let failed = try await withThrowingTaskGroup(of: Bool.self) { group in
                for call in first..<first + 30 {
                    for isReplyLost in [false, true] { group.addTask { try await run(texts, .init(call: call, isReplyLost: isReplyLost)) } }
                }
                return try await group.reduce(true) { $0 && $1 }
            }
            guard failed else {
                #expect(first > 30)
                break
            }
        }
    }

    @Test func `a worker that is stopped gives the lease back, and the next goes on at once`() async throws {
        let world = World()
        for number in 0..<4 {
            let lot = (0..<7).map { EventText("\(number)-\($0)", "created", key: "k", data: 1).json }
            await world.change { redis, _ in redis.list += lot }
            let stop = StopSignal()
            let worker = Self.worker(number, world, stop: stop)
            async let running: Void = worker.run()
            await world.wait { world in Self.builds.allSatisfy { world.mongo.checkpoints[$0]?.offset == Int64(number + 1) * 7 } }
            #expect(worker.report.holdsLease)
            // It looks once more, and says that it has found nothing.
            for _ in 0..<5000 where worker.report.isBusy { try await Task.sleep(for: .milliseconds(1)) }
            #expect(!worker.report.isBusy)
            stop.request()
            await running
            #expect(!worker.report.holdsLease && worker.report.lastFailure == nil)
            #expect(await world.mongo.leases.lease == nil)
        }
        #expect(await world.mongo.leases.takeovers == 4)
    }

    @Test func `a dead worker's lease runs out, and another takes over`() async throws {
        let world = World()
        let dead = FakeLeases(world: world, worker: 9)
        let holder = LeaseHolder(id: "dead", sessions: [])
        _ = try await dead.acquire(PartitionID(stream: "test", number: 0), holder: holder, duration: .milliseconds(150))
        await world.change { redis, _ in (redis.list, redis.fence) = ([EventText("1", "created", key: "k", data: 1).json], 50) }
        await world.close()
        let stop = StopSignal()
        let worker = Self.worker(0, world, lease: .milliseconds(150), stop: stop)
        async let running: Void = worker.run()
        // It renews, and lifts its epoch above the fence that somebody left in Redis.
        await world.wait { $0.isDone(Self.builds) && $0.mongo.leases.renewals > 2 }
        #expect(await world.redis.fence > 50)
        #expect(await world.mongo.leases.lease?.holder.id == "worker-0")
        // Taken away, it works no more before the thief's lease has run out.
        let thief = Lease(partition: PartitionID(stream: "test", number: 0), holder: LeaseHolder(id: "thief", sessions: []), epoch: 99)
        await world.change { _, mongo in (mongo.leases.lease, mongo.leases.until) = (thief, world.now() + .milliseconds(100)) }
        await world.wait { $0.mongo.leases.takeovers == 3 }
        stop.request()
        await running
    }

    @Test func `what a person must put right stops the partition`() async throws {
        let world = World()
        await world.change { redis, _ in (redis.list, redis.owner) = (["x"], "another installation") }
        let stop = StopSignal()
        let worker = Self.worker(0, world, stop: stop)
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await worker.run() }
            while worker.report.stopped == nil, !Task.isCancelled { await Task.yield() }
            stop.request()
        }
        #expect((worker.report.stopped as? Refusal)?.problem == .otherInstallation)
    }
}
