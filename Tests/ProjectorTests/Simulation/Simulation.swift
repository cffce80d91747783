import EventFixtures
import Events
import Fixtures
import Models
import Synchronization
import Values

@testable import Projector

/// One run of the real `PartitionWorker`s over servers in memory: what is pushed, the settings, who goes on when, what
/// fails and what else goes wrong follows from the seed alone.
struct Simulation: Sendable {
    struct Outcome: Sendable {
        /// What is not as promised; empty for a good run.
        var findings: [String]
        var turns: Int
        var trace: [String]
    }

    let conditions: Conditions
    let schedule: Schedule
    let world: World
    let crew = Crew()
    let mistake: Mistake?
    let seed: Seed

    /// Far more than any run needs: one that takes so many stands still.
    private static let mostTurns = 60_000

    /// Plays a seed from beginning to end, on the calling thread.
    static func run(_ seed: UInt64, mistake: Mistake? = nil, isTraced: Bool = false) -> Outcome {
        let executor = OneThread()
        let simulation = Simulation(Seed(value: seed), mistake, isTraced)
        let found = Mutex<[String]?>(nil)
        Task(executorPreference: executor) {
            let findings = await simulation.play()
            found.withLock { $0 = findings }
        }
        let schedule = simulation.schedule
        while true {
            executor.drain()
            if let findings = found.withLock({ $0 }) { return Outcome(findings: findings, turns: schedule.turns, trace: schedule.trace) }
            guard schedule.turns < mostTurns, schedule.step() else {
                return Outcome(findings: ["stands still after \(schedule.turns) turns"], turns: schedule.turns, trace: schedule.trace)
            }
        }
    }

    private init(_ seed: Seed, _ mistake: Mistake?, _ isTraced: Bool) {
        var random = Random(seed)
        conditions = Conditions(&random)
        schedule = Schedule(random, failures: conditions.failures, isTraced: isTraced)
        self.seed = seed
        self.mistake = mistake
        var mongo = FakeMongo()
        mongo.mostElements = conditions.mostElements
        mongo.leases.isEverybodys = conditions.isLeaseEverybodys
        mongo.remember(conditions)
        world = World(lists: conditions.lists, mongo: mongo, schedule: schedule)
    }

    private func play() async -> [String] {
        await withTaskGroup(of: [Expected.Repair].self) { group in
            for slot in 0..<conditions.workers {
                group.addTask {
                    await work(slot)
                    return []
                }
            }
            for number in 0..<conditions.switchers {
                group.addTask {
                    await switchReaders(conditions.workers + number)
                    return []
                }
            }
            group.addTask { await Weather(self, Random(seed, round: 1)).happen() }
            let (builds, target) = (conditions.builds.map(\.build), conditions.target?.build)
            await world.wait { $0.isDone(builds) && $0.isSwitched(to: target) }
            crew.end()
            let repairs = await group.reduce([], +)
            // What is still under way arrives when everything is done, and changes nothing.
            while await world.late > 0 { await world.arrive(0) }
            return await findings(repairs)
        }
    }

    /// One worker after the other, each with nothing in memory, as on one machine.
    private func work(_ slot: Int) async {
        while let (number, stop) = crew.join(slot) {
            let clock = SimulatedClock(schedule: schedule, worker: number)
            var ports = Ports(world, number, list: slot % conditions.lists, limit: conditions.setting.stream.maxEventBytes)
            mistake?.spoil(&ports, world, number)
            let parts = Worker(number, world, conditions.setting, ports, clock: clock)
            var settings = PartitionWorker.Settings()
            settings.lease = conditions.lease
            settings.limits = conditions.setting.limits
            settings.clock = clock
            settings.random = Random(seed, round: 1000 + number)
            let worker = PartitionWorker(
                partition: partition, list: parts.list, ingest: parts.ingest,
                builds: projected(number, parts), store: ports.store, leases: ports.leases, holder: "worker-\(number)", settings: settings,
                stop: stop,
                logger: .silent
            )
            await worker.run()
            if let stopped = worker.report.stopped { crew.report("worker \(number) stands still: \(stopped)") }
        }
    }
}

/// The workers of a simulation. Nobody comes back: who takes over from another has a number of his own.
final class Crew: Sendable {
    private struct State {
        var members: [Int: (number: Int, stop: StopSignal)] = [:]
        var next = 0
        var hasEnded = false
        var findings: [String] = []
    }

    private let state = Mutex(State())

    func join(_ slot: Int) -> (number: Int, stop: StopSignal)? {
        state.withLock { state in
            guard !state.hasEnded else { return nil }
            let member = (number: state.next, stop: StopSignal())
            state.members[slot] = member
            state.next += 1
            return member
        }
    }

    /// Whoever is in a slot now.
    func member(_ slot: Int) -> (number: Int, stop: StopSignal)? { state.withLock { $0.members[slot] } }

    func end() {
        state.withLock { state in
            state.hasEnded = true
            for (_, stop) in state.members.values { stop.request() }
        }
    }

    func report(_ finding: String) { state.withLock { $0.findings.append(finding) } }

    var findings: [String] { state.withLock { $0.findings } }
}

extension FakeMongo {
    /// The log that is there at the beginning, and the builds that have it in effect.
    fileprivate mutating func remember(_ conditions: Conditions) {
        let stream = conditions.setting.stream
        let log = TestLog(settings: stream, bounds: .init(age: stream.dedupeWindow.milliseconds, originals: stream.dedupeEvents))
        log.append(RawElements(conditions.history, limit: stream.maxEventBytes))
        for chunk in log.chunks { _ = append(chunk.chunk) }
        let expected = Expected(log.chunks, conditions.setting.builds)
        let partition = PartitionID(stream: stream.name, number: 0)
        if let target = conditions.target?.build {
            let old = StoredBuild(conditions.setting.builds[0].build)
            let pair = [KeptBuild(old, .live, made: 0), KeptBuild(StoredBuild(target), .building, made: 0)]
            pointers[target.model] = ModelPointer(model: target.model, live: old.id, builds: pair)
            views[target.model] = old.id
        }
        for build in conditions.current {
            documents[build] = expected.documents[build]
            var checkpoint = Checkpoint(build: build, partition: partition)
            checkpoint.offset = end
            checkpoint.totals = expected.totals[build] ?? ProjectionTotals()
            checkpoints[build] = checkpoint
            unknownTypes[build] = expected.unknownTypes[build]
            deadLetters.formUnion(expected.deadLetters.filter { $0.build == nil || $0.build == build })
        }
        if conditions.isEachElementLoggedOnce { witness.countsFrom = end }
    }
}
