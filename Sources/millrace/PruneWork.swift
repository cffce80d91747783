import Definitions
import Jobs
import Projector

/// A job that removes what the streams need not retain any longer.
struct PruneWork: BatchWork {
    private let job: JobDefinition.Prune
    private let configuration: Configuration

    let kind = RunKind.prune

    init(_ job: JobDefinition.Prune, _ configuration: Configuration) {
        self.job = job
        self.configuration = configuration
    }

    func run(_ context: BatchContext) async throws -> RunOutcome {
        let reader = try await Reader(configuration, connections: PruneRun.connections)
        let run = try PruneRun(reader, streams: job.streams, isFromSource: job.isFromSource)
        return run.outcome(of: try await run.results())
    }
}
