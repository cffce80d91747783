import Fixtures
import Projector

/// The servers, and all that happens on the way to them: each call may wait for its turn, and may fail before or after
/// it has taken effect.
actor World {
    /// Each list is on a Redis of its own; a worker drains one of them.
    private(set) var lists: [FakeRedis]
    private(set) var mongo: FakeMongo
    private var calls = 0
    private var failure: Failure?
    private let schedule: Schedule?
    /// The time that leases run by.
    nonisolated let now: @Sendable () -> Duration
    /// The failure came to pass.
    private(set) var hasFailed = false
    /// Somebody may still push.
    private(set) var isOpen = true
    private var isCancelled = false
    private var waiters: [(isMet: @Sendable (isolated World) -> Bool, continuation: CheckedContinuation<Void, Never>)] = []
    /// Calls that were sent, and whose sender does not know what became of them: they may arrive at any time, or never.
    private var underWay: [(list: Int, effect: Effect)] = []

    private typealias Effect = @Sendable (inout FakeRedis, inout FakeMongo) throws -> Void

    /// The call of a number fails: before it takes effect, or when it has and only the reply is lost.
    struct Failure: Sendable, CustomStringConvertible {
        var call: Int
        var isReplyLost: Bool

        var description: String { "call \(call) \(isReplyLost ? "took effect and its reply was lost" : "failed")" }
    }

    init(redis: FakeRedis = FakeRedis(), lists: Int = 1, mongo: FakeMongo = FakeMongo(), failure: Failure? = nil, schedule: Schedule? = nil) {
        self.lists = Array(repeating: redis, count: lists)
        self.mongo = mongo
        self.failure = failure
        self.schedule = schedule
        if let schedule {
            now = { schedule.now }
        } else {
            let began = ContinuousClock.now
            now = { ContinuousClock.now - began }
        }
    }

    var redis: FakeRedis { lists[0] }

    /// A call that a worker makes over the network.
    func call<Reply: Sendable>(
        _ worker: Int, list: Int = 0, _ what: StaticString = #function, _ body: @escaping @Sendable (inout FakeRedis, inout FakeMongo) throws -> Reply
    ) async throws -> Reply {
        let fate = await schedule?.turn(of: worker, what)
        calls += 1
        let fails = calls == failure?.call
        if fails { hasFailed = true }
        if fate == .late {
            underWay.append((list, { redis, mongo in _ = try body(&redis, &mongo) }))
        }
        if fate == .late || fate == .lost || (fails && failure?.isReplyLost == false) { throw StoreLost() }
        let reply = try body(&lists[list], &mongo)
        schedule?.trace(state)
        defer { wakeUp() }
        if fate == .replyLost || fails { throw StoreLost() }
        return reply
    }

    /// What a trace shows after a call.
    private var state: String {
        let checkpoints = mongo.checkpoints.values.sorted { $0.build.description < $1.build.description }
            .map { checkpoint in
                "\(checkpoint.build) \(checkpoint.offset) \(checkpoint.generation) \(checkpoint.complete.map { "\($0.token.run)/\($0.token.cuts)" })"
            }
        let lists = lists.map { "list \($0.list.count), segment \($0.segment?.count ?? 0), fence \($0.fence), cuts \($0.run)/\($0.cuts)" }
        return "  log \(mongo.end), " + (lists + checkpoints).joined(separator: ", ")
    }

    /// Of the calls from here on.
    func failLater(_ failure: Failure) {
        self.failure = Failure(call: calls + failure.call, isReplyLost: failure.isReplyLost)
    }

    func close() {
        isOpen = false
        wakeUp()
    }

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
        guard !waiters.isEmpty else { return }
        let met = waiters.filter { $0.isMet(self) }
        waiters.removeAll { $0.isMet(self) }
        for waiter in met { waiter.continuation.resume() }
    }

    /// Counts the calls from here.
    func fail(_ next: Failure) { (failure, calls, hasFailed) = (next, 0, false) }

    /// A change that no worker makes, and that cannot fail.
    func change<Reply: Sendable>(list: Int = 0, _ body: @Sendable (inout FakeRedis, inout FakeMongo) -> Reply) -> Reply {
        defer { wakeUp() }
        return body(&lists[list], &mongo)
    }

    /// How many calls may still arrive.
    var late: Int { underWay.count }

    /// One of them arrives; whatever it answers, nobody hears it.
    func arrive(_ number: Int) {
        let (list, effect) = underWay.remove(at: number)
        try? effect(&lists[list], &mongo)
        wakeUp()
    }

    /// One of them is lost for good.
    func drop(_ number: Int) { underWay.remove(at: number) }
}
