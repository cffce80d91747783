import Events
import Synchronization

/// The lease of a model's builds: one process at a time makes, switches and removes them. It saves work, and keeps a second
/// one from removing what the first one folds; safety does not rest on it.
public final class BuildLease: Sendable {
    private let lost = Mutex(false)

    /// Somebody else may hold the lease: what is left is his.
    public var isLost: Bool { lost.withLock { $0 } }

    private init() {}

    /// Runs `body` while the lease is held.
    ///
    /// - Parameters:
    ///   - holder: named to whoever finds it held, with the sessions that are ended when he takes over from the dead.
    ///   - clock: what it is renewed by.
    /// - Throws: a `Refusal` (`lease-held`) where somebody else holds it.
    public static func held<Answer: Sendable>(
        of model: String, by holder: LeaseHolder, _ leases: any LeaseStore, _ duration: Duration, clock: any Clock<Duration> = ContinuousClock(),
        _ body: @escaping @Sendable (BuildLease) async throws -> Answer
    ) async throws -> Answer {
        let lease: Lease
        switch try await leases.acquire(.builds(of: model), holder: holder, duration: duration) {
        case .held(let other):
            throw Refusal(.leaseHeld, "\(other) (host/process) rebuilds or switches \(model) at the moment: try again when that is done")
        case .acquired(let acquired): lease = acquired
        }
        let held = HeldLease(lease, leases: leases, duration: duration, clock: clock)
        let own = BuildLease()
        defer { own.lost.withLock { $0 = true } }
        let answer = try await withThrowingTaskGroup(of: Answer?.self) { group in
            group.addTask { try await body(own) }
            group.addTask {
                do {
                    try await held.keep()
                } catch is LeaseLost {
                    own.lost.withLock { $0 = true }
                    throw Refusal(.leaseLost, "somebody else has taken over the builds of \(model), since this process did not renew its lease in time")
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
                // What is under way cleans up while the lease is still held.
                while await group.nextResult() != nil {}
                if !own.isLost { try? await Self.release(held) }
                throw error
            }
        }
        try? await Self.release(held)
        return answer
    }

    /// Also of a task that is cancelled.
    private static func release(_ held: HeldLease) async throws { try await Task { try await held.release() }.value }
}
