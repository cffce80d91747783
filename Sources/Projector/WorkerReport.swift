import Synchronization

/// What a partition's worker is doing, for whoever waits for it.
public final class WorkerReport: Sendable {
    private struct State {
        var holdsLease = false
        var heldLease = false
        var isElsewhere = false
        var isBusy = false
        var stoppedBuilds: Set<BuildID> = []
        var stopped: (any Error)?
        var lastFailure: (any Error)?
    }

    private let state = Mutex(State())

    /// The worker holds the partition's lease.
    public var holdsLease: Bool { state.withLock { $0.holdsLease } }
    /// The worker holds the lease, and has found more to do at its last look.
    public var isBusy: Bool { state.withLock { $0.holdsLease && $0.isBusy } }
    /// Whether the worker held the lease at any time since this was asked last.
    public func heldLease() -> Bool {
        state.withLock { state in
            defer { state.heldLease = state.holdsLease }
            return state.heldLease
        }
    }

    /// Builds that have stopped as their models say, and that this worker has found so; nil where somebody else holds the
    /// lease, and the checkpoints say what he has found.
    public var stoppedBuilds: Set<BuildID>? { state.withLock { $0.isElsewhere ? nil : $0.stoppedBuilds } }

    /// Why the partition stands still until somebody acts.
    public var stopped: (any Error)? { state.withLock { $0.stopped } }
    /// Why the worker had to start again, if it has done nothing since.
    public var lastFailure: (any Error)? { state.withLock { $0.lastFailure } }

    func began() { state.withLock { $0 = State(holdsLease: true, heldLease: true, isBusy: true) } }

    func looked(isBusy: Bool) { state.withLock { $0.isBusy = isBusy } }

    func found(_ build: BuildID, isStopped: Bool) {
        state.withLock { state in
            if isStopped { state.stoppedBuilds.insert(build) } else { state.stoppedBuilds.remove(build) }
        }
    }

    /// Somebody else holds the lease.
    func waits() { state.withLock { $0.isElsewhere = true } }

    func ended() { state.withLock { $0.holdsLease = false } }

    func failed(_ error: any Error, isStopped: Bool) {
        state.withLock { $0 = State(holdsLease: false, heldLease: $0.heldLease, stopped: isStopped ? error : nil, lastFailure: error) }
    }
}
