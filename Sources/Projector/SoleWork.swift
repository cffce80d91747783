import Events
import Synchronization

/// Work that only one does at a time, such as a reconcile of a model: whoever comes second is refused, with the name of
/// who is at it. It saves work; safety does not rest on it.
public struct SoleWork: Sendable {
    private let lease: PartitionID
    private let what: String
    private let leases: any LeaseStore
    private let holder: LeaseHolder
    private let duration: Duration
    private let clock: any Clock<Duration>

    /// Whether the lease is held still, for work that removes what it has made.
    public final class Hold: Sendable {
        private let lost = Mutex(false)

        fileprivate init() {}

        /// Somebody else may hold the lease: what is left is his.
        public var isLost: Bool { lost.withLock { $0 } }

        fileprivate func lose() { lost.withLock { $0 = true } }
    }

    /// - Parameters:
    ///   - lease: its name. A colon keeps it apart from every partition's.
    ///   - what: for who is refused: "a reconcile of product".
    ///   - leases: through another session than the work's, so that it can be renewed meanwhile.
    ///   - holder: names host and process, with the sessions that are ended when somebody takes over from the dead. Whoever
    ///     has the same name holds the lease too.
    ///   - clock: what it is renewed by.
    public init(
        _ lease: PartitionID, what: String, leases: any LeaseStore, holder: LeaseHolder, duration: Duration, clock: any Clock<Duration> = ContinuousClock()
    ) {
        self.lease = lease
        self.what = what
        self.leases = leases
        self.holder = holder
        self.duration = duration
        self.clock = clock
    }

    /// Does the work with the lease held and renewed. What is cancelled cleans up while it is still held.
    ///
    /// - Throws: a `Refusal`: `lease-held` where somebody else has it, `lease-lost` where he takes it over meanwhile.
    public func run<Answer: Sendable>(_ work: @escaping @Sendable (Hold) async throws -> Answer) async throws -> Answer {
        let acquired: Lease
        switch try await leases.acquire(lease, holder: holder, duration: duration) {
        case .acquired(let lease): acquired = lease
        case .held(let other): throw Refusal(.leaseHeld, "\(other) is at \(what): try again when that is done")
        }
        let held = HeldLease(acquired, leases: leases, duration: duration, clock: clock)
        let hold = Hold()
        defer { hold.lose() }
        let answer = try await withThrowingTaskGroup(of: Answer?.self) { group in
            group.addTask { try await work(hold) }
            group.addTask {
                do {
                    try await held.keep()
                } catch is LeaseLost {
                    hold.lose()
                    throw Refusal(.leaseLost, "somebody else has taken \(what) over, since this process stood still for longer than its lease")
                }
                return nil
            }
            defer { group.cancelAll() }
            do {
                while let answer = try await group.next() {
                    if let answer { return answer }
                }
                throw CancellationError()
            } catch {
                group.cancelAll()
                while await group.nextResult() != nil {}
                if !hold.isLost { await Self.release(held) }
                throw error
            }
        }
        await Self.release(held)
        return answer
    }

    /// Also in a task that is cancelled. Where it fails, the lease runs out.
    private static func release(_ held: HeldLease) async { _ = await Task { try await held.release() }.result }
}

extension SoleWork {
    /// What makes, switches and removes builds of a model.
    public static func onBuilds(of model: String, _ leases: any LeaseStore, _ holder: LeaseHolder, _ duration: Duration) -> SoleWork {
        SoleWork(.work("builds", on: model), what: "a rebuild or a switch of \(model)", leases: leases, holder: holder, duration: duration)
    }
}
