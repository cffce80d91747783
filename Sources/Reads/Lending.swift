import Synchronization

/// Lends things that one at a time can use; whoever finds none waits for one, in the order in which they came.
final class Lending<Item: Sendable>: Sendable {
    private struct State {
        var idle: [Item]
        /// By numbers of their own.
        var waiters: [(number: Int, continuation: CheckedContinuation<Item?, Never>)] = []
        var lastNumber = 0
    }

    private let state: Mutex<State>
    private let mostWaiting: Int

    init(_ items: [Item], mostWaiting: Int) {
        state = Mutex(State(idle: items))
        self.mostWaiting = mostWaiting
    }

    /// Give it back.
    func take(until deadline: ContinuousClock.Instant) async throws(ReadFailure) -> Item {
        if let item = state.withLock({ $0.idle.popLast() }) { return item }
        let number = state.withLock { state -> Int? in
            guard state.waiters.count < mostWaiting else { return nil }
            state.lastNumber += 1
            return state.lastNumber
        }
        guard let number else { throw .overloaded }
        let late = Task {
            try await Task.sleep(until: deadline, clock: .continuous)
            takeWaiter { $0 == number }?.resume(returning: nil)
        }
        defer { late.cancel() }
        let item = await withCheckedContinuation { continuation in
            let item = state.withLock { state -> Item?? in
                if let item = state.idle.popLast() { return item }
                // Later, nobody would tell it.
                if .now >= deadline { return .some(nil) }
                state.waiters.append((number, continuation))
                return .none
            }
            if let item { continuation.resume(returning: item) }
        }
        guard let item else { throw .late }
        return item
    }

    func give(back item: Item) {
        let waiter = state.withLock { state -> CheckedContinuation<Item?, Never>? in
            if state.waiters.isEmpty {
                state.idle.append(item)
                return nil
            }
            return state.waiters.removeFirst().continuation
        }
        waiter?.resume(returning: item)
    }

    private func takeWaiter(_ isIt: (Int) -> Bool) -> CheckedContinuation<Item?, Never>? {
        state.withLock { state in
            guard let place = state.waiters.firstIndex(where: { isIt($0.number) }) else { return nil }
            return state.waiters.remove(at: place).continuation
        }
    }
}
