import Fixtures

/// The servers, and all that happens on the way to them: each call may wait for its turn, and may fail before or after
/// it has taken effect.
actor World {
    private(set) var redis: FakeRedis
    private(set) var mongo: FakeMongo
    private var calls = 0
    private var failure: Failure?
    private let turns: Turns?
    /// The failure came to pass.
    private(set) var hasFailed = false
    /// Somebody may still push.
    private(set) var isOpen = true
    private var isCancelled = false
    private var waiters: [(isMet: @Sendable (isolated World) -> Bool, continuation: CheckedContinuation<Void, Never>)] = []

    /// The call of a number fails: before it takes effect, or when it has and only the reply is lost.
    struct Failure: Sendable, CustomStringConvertible {
        var call: Int
        var isReplyLost: Bool

        var description: String { "call \(call) \(isReplyLost ? "took effect and its reply was lost" : "failed")" }
    }

    init(redis: FakeRedis = FakeRedis(), mongo: FakeMongo = FakeMongo(), failure: Failure? = nil, turns: Turns? = nil) {
        self.redis = redis
        self.mongo = mongo
        self.failure = failure
        self.turns = turns
    }

    /// A call that a worker makes over the network.
    func call<Reply: Sendable>(_ worker: Int, _ body: @Sendable (inout FakeRedis, inout FakeMongo) throws -> Reply) async throws -> Reply {
        let fate = await turns?.wait(worker)
        calls += 1
        let fails = calls == failure?.call
        if fails { hasFailed = true }
        if fate == .lost || fails && failure?.isReplyLost == false { throw StoreLost() }
        let reply = try body(&redis, &mongo)
        defer { wakeUp() }
        if fate == .replyLost || fails { throw StoreLost() }
        return reply
    }

    func close() { isOpen = false }

    func meets(_ condition: @Sendable (isolated World) -> Bool) -> Bool { condition(self) }

    /// Returns when a call has made the condition true, or the test has run out of time.
    func wait(until isMet: @escaping @Sendable (isolated World) -> Bool) async {
        if isMet(self) { return }
        await withTaskCancellationHandler {
            await withCheckedContinuation { waiters.append(({ isMet($0) || $0.isCancelled }, $0)) }
        } onCancel: {
            Task { await cancel() }
        }
    }

    private func cancel() {
        isCancelled = true
        wakeUp()
    }

    private func wakeUp() {
        let met = waiters.filter { $0.isMet(self) }
        waiters.removeAll { $0.isMet(self) }
        for waiter in met { waiter.continuation.resume() }
    }

    /// Counts the calls from here.
    func fail(_ next: Failure) { (failure, calls, hasFailed) = (next, 0, false) }

    /// A change that no worker makes, and that cannot fail.
    func change<Reply: Sendable>(_ body: @Sendable (inout FakeRedis, inout FakeMongo) -> Reply) -> Reply { body(&redis, &mongo) }
}

/// Lets one of several go on at a time, each up to its next call, in an order that a seed decides. Turns come in runs, so
/// that the others find much changed when it is theirs again.
actor Turns {
    enum Fate { case good, lost, replyLost }

    private var random: Random
    private var active: Set<Int>
    private var waiting: [Int: CheckedContinuation<Fate, Never>] = [:]
    private var favourite = 0
    private var run = 0
    /// One call in so many fails; 0 for none.
    private let failures: Int

    init(_ random: Random, workers: Set<Int>, failures: Int) {
        self.random = random
        active = workers
        self.failures = failures
    }

    func wait(_ worker: Int) async -> Fate {
        await withCheckedContinuation { continuation in
            waiting[worker] = continuation
            advance()
        }
    }

    /// The worker will not call again.
    func leave(_ worker: Int) {
        active.remove(worker)
        advance()
    }

    private func advance() {
        guard waiting.count == active.count, !active.isEmpty else { return }
        if run == 0 || waiting[favourite] == nil {
            favourite = random.pick(active.sorted())
            run = random.pick([1, 1, 2, 3, 5, 8, 30])
        }
        run -= 1
        let fate: Fate = failures > 0 && random.once(in: failures) ? random.pick([.lost, .replyLost]) : .good
        waiting.removeValue(forKey: favourite)?.resume(returning: fate)
    }
}
