import Events
import Logging
import Projector

/// Work that has an end: a run of it leaves a receipt. What a scheduled job does, and what commands do by hand.
public protocol BatchWork: Sendable {
    var kind: RunKind { get }

    /// Does the work. It is cancelled when it is to stop: then it comes to a good place, and throws `CancellationError`.
    func run(_ context: BatchContext) async throws -> RunOutcome
}

/// What a run is told.
public struct BatchContext: Sendable {
    /// The id of the run.
    public var run: String
    public var job: String
    public var logger: Logger

    public init(run: String, job: String, logger: Logger) {
        self.run = run
        self.job = job
        self.logger = logger
    }
}
