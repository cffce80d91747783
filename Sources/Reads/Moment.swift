import Synchronization

/// One read for all who ask for it while the one before is under way: what somebody is given was read after he asked.
final class Moment<Value: Sendable>: Sendable {
    private struct State {
        var waiters: [CheckedContinuation<Value, any Error>] = []
        var isUnderWay = false
    }

    private let state = Mutex(State())
    private let read: @Sendable () async throws -> Value

    init(_ read: @escaping @Sendable () async throws -> Value) { self.read = read }

    func next() async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            let isFirst = state.withLock { state in
                state.waiters.append(continuation)
                defer { state.isUnderWay = true }
                return !state.isUnderWay
            }
            if isFirst { Task { await work() } }
        }
    }

    private func work() async {
        while let waiters = take() {
            do {
                let value = try await read()
                for waiter in waiters { waiter.resume(returning: value) }
            } catch {
                for waiter in waiters { waiter.resume(throwing: error) }
            }
        }
    }

    private func take() -> [CheckedContinuation<Value, any Error>]? {
        state.withLock { state in
            defer { state.waiters = [] }
            state.isUnderWay = !state.waiters.isEmpty
            return state.waiters.isEmpty ? nil : state.waiters
        }
    }
}
