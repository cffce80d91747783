import Fixtures
import Synchronization

/// Whose turn it is. Everybody waits here before a call and while he sleeps; when nobody can run any more, the seed
/// decides who goes on, and what becomes of his call. Turns come in runs, so that the others find much changed when it is
/// theirs again.
final class Schedule: Sendable {
    enum Fate: Sendable {
        case good
        /// It never arrives.
        case lost
        /// It takes effect, and nobody is told.
        case replyLost
        /// It may take effect at any later time, or never; the caller only knows that he heard nothing.
        case late
    }

    fileprivate struct Waiting {
        var id: Int
        var worker: Int
        /// nil for a sleeper.
        var call: StaticString?
        var deadline = Duration.zero
        var continuation: UnsafeContinuation<Fate, Never>
    }

    fileprivate struct State {
        var random: Random
        var now = Duration.zero
        var turns = 0
        var waiting: [Waiting] = []
        var nextId = 0
        var favourite = 0
        var run = 0
        /// One call in so many fails; 0 for none.
        var failures: Int
        /// By worker, the turn at which it goes on.
        var frozen: [Int: Int] = [:]
        var dead: Set<Int> = []
        var isCalm = false
        var trace: [String]?
    }

    /// The one who makes the weather: his turns are single ones, and never fail.
    static let weather = -1

    private let state: Mutex<State>

    init(_ random: Random, failures: Int, isTraced: Bool = false) {
        state = Mutex(State(random: random, failures: failures, trace: isTraced ? [] : nil))
    }

    var now: Duration { state.withLock { $0.now } }
    var turns: Int { state.withLock { $0.turns } }

    /// What happened, turn by turn.
    var trace: [String] { state.withLock { $0.trace ?? [] } }

    func trace(_ line: @autoclosure () -> String) {
        state.withLock { state in
            if state.trace != nil { state.trace?.append(line()) }
        }
    }

    // MARK: Waiting

    /// Returns when it is the worker's turn to make a call.
    func turn(of worker: Int, _ call: StaticString) async -> Fate {
        await withUnsafeContinuation { continuation in
            let isDead = state.withLock { state in
                if state.dead.contains(worker) { return true }
                state.nextId += 1
                state.waiting.append(Waiting(id: state.nextId, worker: worker, call: call, continuation: continuation))
                return false
            }
            if isDead { continuation.resume(returning: .lost) }
        }
    }

    func sleep(_ worker: Int, until deadline: Duration) async throws {
        let id = state.withLock { state in
            state.nextId += 1
            return state.nextId
        }
        let fate = await withTaskCancellationHandler {
            await withUnsafeContinuation { continuation in
                let isOver = state.withLock { state in
                    if Task.isCancelled || state.dead.contains(worker) { return true }
                    state.waiting.append(Waiting(id: id, worker: worker, deadline: deadline, continuation: continuation))
                    return false
                }
                if isOver { continuation.resume(returning: .lost) }
            }
        } onCancel: {
            let waiting = state.withLock { state in
                state.waiting.firstIndex { $0.id == id }.map { state.waiting.remove(at: $0) }
            }
            waiting?.continuation.resume(returning: .lost)
        }
        if fate != .good { throw CancellationError() }
    }

    // MARK: Choosing

    /// Lets one go on. False when nobody waits.
    func step() -> Bool {
        let chosen = state.withLock { state in state.choose() }
        guard let (waiting, fate) = chosen else { return false }
        waiting.continuation.resume(returning: fate)
        return true
    }

    // MARK: Weather

    /// From now on nothing fails, and turns come in longer runs.
    func calm() {
        state.withLock { state in
            state.failures = 0
            state.isCalm = true
        }
    }

    /// The worker does not go on before so many turns have passed.
    func freeze(_ worker: Int, turns: Int) { state.withLock { $0.frozen[worker] = $0.turns + turns } }

    /// Nothing that the worker does from now on reaches anybody; what it has sent may arrive.
    func kill(_ worker: Int) {
        let ended: [(Waiting, Fate)] = state.withLock { state in
            state.dead.insert(worker)
            let ended = state.waiting.filter { $0.worker == worker }
            state.waiting.removeAll { $0.worker == worker }
            return ended.map { ($0, $0.call != nil && state.random.once(in: 2) ? .late : .lost) }
        }
        for (waiting, fate) in ended { waiting.continuation.resume(returning: fate) }
    }
}

extension Schedule.State {
    fileprivate mutating func choose() -> (Schedule.Waiting, Schedule.Fate)? {
        guard !waiting.isEmpty else { return nil }
        turns += 1
        var ready = waiting.indices.filter { (frozen[waiting[$0].worker] ?? 0) <= turns }
        if ready.isEmpty {
            frozen = [:]
            ready = Array(waiting.indices)
        }
        if run == 0 || !ready.contains(where: { waiting[$0].worker == favourite }) {
            // Whoever has something to do goes before those who only wait for time to pass, as a rule.
            let busy = ready.filter { waiting[$0].call != nil }
            let among = busy.isEmpty || random.once(in: 16) ? ready : busy
            favourite = random.pick(Set(among.map { waiting[$0].worker }).sorted())
            run = favourite == Schedule.weather ? 1 : random.pick(isCalm ? [8, 30, 100] : [1, 1, 2, 3, 5, 8, 30])
        }
        run -= 1
        let own = ready.filter { waiting[$0].worker == favourite }
        let calls = own.filter { waiting[$0].call != nil }
        let sleepers = own.filter { waiting[$0].call == nil }
        let sleeper = sleepers.min { (waiting[$0].deadline, waiting[$0].id) < (waiting[$1].deadline, waiting[$1].id) }
        let place: Int
        if let sleeper, calls.isEmpty || random.once(in: 24) {
            place = sleeper
            now = max(now, waiting[sleeper].deadline)
        } else {
            place = random.pick(calls)
            now += .milliseconds(1)
        }
        let chosen = waiting.remove(at: place)
        var fate = Schedule.Fate.good
        if chosen.call != nil, favourite != Schedule.weather, failures > 0, random.once(in: failures) { fate = random.pick([.lost, .replyLost, .late]) }
        if trace != nil { trace?.append("\(turns): \(favourite) \(chosen.call.map { "\($0)" } ?? "wakes") \(fate)") }
        return (chosen, fate)
    }
}
