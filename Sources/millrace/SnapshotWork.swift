import Definitions
import Jobs
import Models
import Projector

/// A job that keeps what the documents are.
struct SnapshotWork: BatchWork {
    private let job: JobDefinition.Snapshot
    private let zone: Zone
    private let configuration: Configuration

    let kind = RunKind.snapshot

    /// - Parameter zone: whose clocks say when a month ends.
    init(_ job: JobDefinition.Snapshot, in zone: Zone, _ configuration: Configuration) {
        self.job = job
        self.zone = zone
        self.configuration = configuration
    }

    func run(_ context: BatchContext) async throws -> RunOutcome {
        let reader = try await Reader(configuration, connections: SnapshotsRun.connections)
        let moment: SnapshotsRun.Moment =
            switch job.moment {
            case .now: .now
            case .monthEnd: .monthEnd(zone)
            }
        return SnapshotsRun.outcome(of: try await SnapshotsRun(reader, models: job.models, keep: job.keep, as: moment).results())
    }
}
