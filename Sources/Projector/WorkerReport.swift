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
        /// Those who wait for it to be at rest.
        var waiting: [CheckedContinuation<Void, Never>] = []

        var isAtWork: Bool { holdsLease && isBusy }
    }

    private let state = Mutex(State())

    /// The worker holds the partition's lease.
    public var holdsLease: Bool { state.withLock { $0.holdsLease } }
    /// The worker holds the lease, and has found more to do at its last look.
    public var isBusy: Bool { state.withLock { $0.isAtWork } }
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

    /// Returns as soon as the worker is not busy, after a time in any case, and when the task is cancelled.
    public func rest(within patience: Duration) async {
        var alarm: Task<Void, Never>?
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let mustWait = state.withLock { state in
                    guard state.isAtWork, !Task.isCancelled else { return false }
                    state.waiting.append(continuation)
                    return true
                }
                guard mustWait else { return continuation.resume() }
                alarm = Task {
                    guard (try? await Task.sleep(for: patience)) != nil else { return }
                    wake()
                }
            }
        } onCancel: {
            wake()
        }
        alarm?.cancel()
    }

    private func wake() {
        let waiting = state.withLock { state in
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
    }

    /// Notes something, and wakes those who wait if the worker is at rest now.
    private func note(_ change: (inout State) -> Void) {
        let isAtWork = state.withLock { state in
            change(&state)
            return state.isAtWork
        }
        if !isAtWork { wake() }
    }

    func began() { note { $0 = State(holdsLease: true, heldLease: true, isBusy: true, waiting: $0.waiting) } }

    func looked(isBusy: Bool) { note { $0.isBusy = isBusy } }

    func found(_ build: BuildID, isStopped: Bool) {
        state.withLock { state in
            if isStopped { state.stoppedBuilds.insert(build) } else { state.stoppedBuilds.remove(build) }
        }
    }

    /// Somebody else holds the lease.
    func waits() { state.withLock { $0.isElsewhere = true } }

    func ended() { note { $0.holdsLease = false } }

    func failed(_ error: any Error, isStopped: Bool) {
        note { $0 = State(holdsLease: false, heldLease: $0.heldLease, stopped: isStopped ? error : nil, lastFailure: error, waiting: $0.waiting) }
    }
}
