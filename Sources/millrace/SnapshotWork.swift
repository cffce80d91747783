import Definitions
import Jobs
import Projector

/// A job that keeps what the documents are.
struct SnapshotWork: BatchWork {
    private let job: JobDefinition.Snapshot
    private let configuration: Configuration

    let kind = RunKind.snapshot

    init(_ job: JobDefinition.Snapshot, _ configuration: Configuration) {
        self.job = job
        self.configuration = configuration
    }

    func run(_ context: BatchContext) async throws -> RunOutcome {
        let reader = try await Reader(configuration, connections: SnapshotsRun.connections)
        return SnapshotsRun.outcome(of: try await SnapshotsRun(reader, models: job.models, keep: job.keep).results())
    }
}
