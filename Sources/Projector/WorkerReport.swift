import Synchronization

/// What a partition's worker is doing, for whoever waits for it.
public final class WorkerReport: Sendable {
    private struct State {
        var holdsLease = false
        var heldLease = false
        var stopped: (any Error)?
        var lastFailure: (any Error)?
    }

    private let state = Mutex(State())

    /// The worker holds the partition's lease.
    public var holdsLease: Bool { state.withLock { $0.holdsLease } }
    /// Whether the worker held the lease at any time since this was asked last.
    public func heldLease() -> Bool {
        state.withLock { state in
            defer { state.heldLease = state.holdsLease }
            return state.heldLease
        }
    }

    /// Why the partition stands still until somebody acts.
    public var stopped: (any Error)? { state.withLock { $0.stopped } }
    /// Why the worker had to start again, if it has done nothing since.
    public var lastFailure: (any Error)? { state.withLock { $0.lastFailure } }

    func began() { state.withLock { $0 = State(holdsLease: true, heldLease: true) } }

    func ended() { state.withLock { $0.holdsLease = false } }

    func failed(_ error: any Error, isStopped: Bool) {
        state.withLock { $0 = State(holdsLease: false, heldLease: $0.heldLease, stopped: isStopped ? error : nil, lastFailure: error) }
    }
}
