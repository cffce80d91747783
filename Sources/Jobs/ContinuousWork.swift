import Projector

/// Work that goes on until it is told to stop: drains and bridges.
public protocol ContinuousWork: Sendable {
    /// Returns soon after a stop, with what it was at done or left for the next. Throws what keeps it from working at all.
    func run(until stop: StopSignal) async throws
}
