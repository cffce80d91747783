import EventFixtures
import Events
import Fixtures
import Models
import Projector
import Testing
import Values

/// One run of the protocol, again and again: each time another call fails, or takes effect and loses its reply, until a
/// run ends before it comes to that call. The end is always the same.
@Suite struct FailureSweepTests {
    private static func setting() -> Worker.Setting {
        var stream = TestLog.settings
        stream.chunkEvents = 5
        stream.maxEventBytes = .kibibytes(1)
        var setting = Worker.Setting(stream: stream, builds: Commerce.builds)
        setting.limits.events = 6
        setting.limits.documents = 4
        return setting
    }

    private static func lots(_ seed: Seed) -> [[String]] {
        var random = Random(seed)
        let oversize = EventText("large", data: .string(String(repeating: "x", count: 2000))).json
        return [
            random.texts(12, types: Commerce.types), [oversize] + random.texts(9, types: Commerce.types), random.texts(4, types: Commerce.types) + [oversize],
        ]
    }

    /// Whether the failure came to pass.
    private func run(_ lots: [[String]], _ failure: World.Failure, restarts: Bool) async throws -> Bool {
        let setting = Self.setting()
        let world = World(failure: failure)
        var worker = Worker(0, world, setting)
        var (steps, hadFailed) = (0, false)
        func step() async throws {
            steps += 1
            #expect(try await worker.step(epoch: 1) == nil)
            if restarts, await world.hasFailed, !hadFailed {
                worker = Worker(0, world, setting)
                hadFailed = true
            }
        }
        for lot in lots {
            await world.change { redis, _ in redis.list += lot }
            for _ in 0..<3 { try await step() }
        }
        await world.close()
        while await !world.isDone(setting.builds.map(\.build)), steps < 200 { try await step() }
        #expect(steps < 200, "\(failure)")
        let (redis, mongo) = await (world.redis, world.mongo)
        let whole = lots.flatMap { $0 }
        try Expected(whole, setting.stream, setting.builds).check(mongo, "\(failure)")
        #expect(redis.oversize == whole.filter { $0.utf8.count > 1024 }, "\(failure)")
        return await world.hasFailed
    }

    @Test(arguments: [false, true], Seed.ofThisRun)
    func `every call fails once, and the worker goes on or begins anew`(restarts: Bool, seed: Seed) async throws {
        let lots = Self.lots(seed)
        var call = 1
        while true {
            let failed = try await run(lots, .init(call: call, isReplyLost: false), restarts: restarts)
            _ = try await run(lots, .init(call: call, isReplyLost: true), restarts: restarts)
            guard failed else { break }
            call += 1
        }
        // Cuts, reads, appends, commits and all else: a shorter run would show little.
        #expect(call > 60)
    }
}
