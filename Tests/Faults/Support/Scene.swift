import BadNetwork
import Fixtures
import Foundation
import Synchronization
import Testing
import Values

/// What a fault acts on: two workers that drain one list, and a producer that keeps pushing onto it.
final class Scene: Sendable {
    static let lease = Duration.seconds(2)
    /// What a command ends with that cannot reach a server.
    private static let unreachable: Int32 = 69

    let stage: Stage
    let place: Place
    let producer: SteadyProducer
    let journal: Journal
    /// Counts the rounds of one kind of fault, so that those with variants play one after the other.
    let round: Int
    private let random: Mutex<Random>
    private let crew = Mutex<[Worker?]>(Array(repeating: nil, count: Stage.workers))
    private let notes = Mutex<Notes>(Notes())

    private struct Worker {
        var child: Child
        var build: Build
        var environment: [String: String]
    }

    private struct Notes {
        var isAlone = true
        /// How much each process had said when the step began.
        var said: [pid_t: Int] = [:]
        var refused = 0
        var lost: Set<[UInt8]> = []
        var details: [String] = []
        var instant: ContinuousClock.Instant?
    }

    init(_ stage: Stage, _ place: Place, _ journal: Journal, round: Int, _ seed: Seed) {
        self.stage = stage
        self.place = place
        self.journal = journal
        self.round = round
        random = Mutex(Random(seed, round: round))
        producer = SteadyProducer(place, journal, seed, redis: "redis://127.0.0.1:\(stage.redisOfProducers.port)")
    }

    /// What follows belongs to the next step.
    ///
    /// - Parameter isAlone: nothing else strikes at the same time.
    func begin(isAlone: Bool) {
        let said = crew.withLock { $0.compactMap { $0.map { ($0.child.pid, $0.child.log.count) } } }
        notes.withLock { notes in
            notes.isAlone = isAlone
            notes.said = Dictionary(said, uniquingKeysWith: { $1 })
            notes.details = []
            notes.instant = nil
        }
    }

    // MARK: What faults say

    /// Elements were pushed that are no events, and are not in the journal.
    func expectRefused(_ count: Int) { notes.withLock { $0.refused += count } }
    /// Elements of the journal were taken away.
    func expectLost(_ elements: [[UInt8]]) { notes.withLock { $0.lost.formUnion(elements) } }
    /// Something about this very round for the tally.
    func note(_ detail: String) { notes.withLock { $0.details.append(detail) } }

    /// The fault has no duration: it was now, and all that follows is its consequence. Else it is over when it is healed,
    /// as two at once are when both are.
    func isStruck() { notes.withLock { $0.instant = $0.isAlone ? .now : nil } }

    var isAlone: Bool { notes.withLock { $0.isAlone } }
    var instant: ContinuousClock.Instant? { notes.withLock { $0.instant } }
    var refused: Int { notes.withLock { $0.refused } }
    var lost: Set<[UInt8]> { notes.withLock { $0.lost } }
    var detail: String { notes.withLock { $0.details.joined(separator: ", ") } }

    func below(_ limit: Int) -> Int { random.withLock { $0.below(limit) } }
    func pick<Element: Sendable>(_ choices: [Element]) -> Element { choices[below(choices.count)] }
    /// Waits, up to a limit in milliseconds.
    func pause(upTo milliseconds: Int) async throws { try await Task.sleep(for: .milliseconds(below(milliseconds))) }
    func wait(_ duration: Duration) async throws { try await Task.sleep(for: duration) }

    // MARK: Workers

    /// What MongoDB and the proxies know a worker by.
    func application(_ slot: Int) -> String { "worker-\(slot)" }
    func scope(_ slot: Int) -> Scope { .application(application(slot)) }

    func worker(_ slot: Int) throws -> Child {
        guard let worker = crew.withLock({ $0[slot] }) else { throw Failure("there is no worker \(slot)") }
        return worker.child
    }

    func start(_ slot: Int, _ build: Build = .release, environment: [String: String] = [:]) throws {
        let servers = [
            "MILLRACE_REDIS_URL": "redis://127.0.0.1:\(stage.redisOfWorkers[slot].port)",
            "MILLRACE_MONGODB_URL": "\(place.servers.mongodb.replacing("appName=probe", with: "appName=\(application(slot))"))",
        ]
        let child = try place.start(build, ["run"], environment: environment.merging(servers) { $1 })
        crew.withLock { $0[slot] = Worker(child: child, build: build, environment: environment) }
    }

    /// Kills a worker if it runs, and waits for its end.
    func kill(_ slot: Int) async throws {
        let child = try worker(slot)
        child.send(SIGKILL)
        _ = try await child.ended()
    }

    /// Kills a worker and starts another in its place.
    func replace(_ slot: Int) async throws {
        try await kill(slot)
        try start(slot)
    }

    /// Asks a worker to stop, which it must do well.
    func stop(_ slot: Int) async throws { try await worker(slot).expectStop("worker \(slot)") }

    func stopAll() async throws {
        try await begun()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for slot in 0..<Stage.workers { group.addTask { try await self.stop(slot) } }
            try await group.waitForAll()
        }
    }

    /// Until all workers have begun.
    func begun() async throws {
        try await until("all workers have begun") {
            try await supervise()
            return crew.withLock { $0.allSatisfy { $0?.child.hasBegun ?? true } }
        }
    }

    /// Starts anew, as whatever supervises a service does, who met a fault in its first second and ended, as it should, with
    /// "a server cannot be reached".
    private func supervise() async throws {
        for slot in 0..<Stage.workers {
            guard let worker = crew.withLock({ $0[slot] }), !worker.child.hasBegun, !worker.child.isRunning else { continue }
            guard try await worker.child.ended().cause == .exit(Self.unreachable) else { continue }
            try start(slot, worker.build, environment: worker.environment)
        }
    }

    /// The worker that holds the lease.
    func holder() async throws -> Int {
        try await eventually("a worker holds the lease") {
            guard let pid = try? await place.mongo.holder("trace") else { return nil }
            return crew.withLock { $0.firstIndex { $0?.child.pid == pid && $0?.child.isRunning == true } }
        }
    }

    func other(than slot: Int) -> Int { (slot + 1) % Stage.workers }

    /// Starts whoever has died, as whatever supervises a service does.
    func fillPlaces() throws {
        for slot in 0..<Stage.workers where try !worker(slot).isRunning { try start(slot) }
    }

    /// Expects that a worker says something in this step, in the log of one of those that run now.
    func expectLog(_ what: String, within limit: Duration = .seconds(10), _ words: String...) async throws {
        try await until(within: limit, "a worker says that \(what)") {
            try (0..<Stage.workers).contains { slot in
                let child = try worker(slot)
                let lines = child.log.dropFirst(notes.withLock { $0.said[child.pid] } ?? 0).split(separator: "\n")
                return lines.contains { line in words.allSatisfy { line.contains($0) } }
            }
        }
    }

    // MARK: Progress

    /// Until everything that was pushed has taken effect. Nobody may be pushing.
    func drained(within limit: Duration) async throws {
        try await until(within: limit, every: .milliseconds(20), "everything is applied") {
            try await supervise()
            guard let waiting = try? await place.redis.length(of: place.list()), waiting == 0 else { return false }
            guard let hasSegment = try? await place.redis.exists(place.list() + ":segment"), !hasSegment else { return false }
            guard let tail = try? await place.mongo.tail("trace") else { return false }
            return (try? await place.checkpoints(reach: tail)) ?? false
        }
    }

    /// Elements that have not left Redis.
    func inRedis() async throws -> Int {
        try await stage.redis.length(of: place.list()) + stage.redis.length(of: place.list() + ":segment")
    }

    /// Until events are applied that were not yet when this was called.
    func flowsOn(within limit: Duration = .seconds(60)) async throws {
        var before: Int?
        try await until(within: limit, every: .milliseconds(20), "events flow again") {
            try await supervise()
            guard let tail = try? await place.mongo.tail("trace") else { return false }
            guard let start = before else {
                before = tail
                return false
            }
            return (try? await place.checkpoints(reach: start + 1)) ?? false
        }
    }
}
