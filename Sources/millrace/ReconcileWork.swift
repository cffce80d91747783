import Definitions
import Jobs
import Projector

/// A job that compares documents with the fold of their events.
struct ReconcileWork: BatchWork {
    private let job: JobDefinition.Reconcile
    private let configuration: Configuration

    let kind = RunKind.reconcile

    init(_ job: JobDefinition.Reconcile, _ configuration: Configuration) {
        self.job = job
        self.configuration = configuration
    }

    func run(_ context: BatchContext) async throws -> RunOutcome {
        var plan = Reconcile.Plan()
        plan.sample = job.sample
        plan.isRepair = job.isRepair
        plan.maxChange = job.maxChange.map(Int64.init)
        plan.throttle = job.throttle
        let reader = try await Reader(configuration, connections: ReconcileRun.connections(configuration))
        let results = try await ReconcileRun(
            reader, models: job.models, plan, against: job.truth.map { [$0] } ?? Set(Drift.Truth.allCases), logger: context.logger
        ).results()
        return ReconcileRun.outcome(of: results, alertAbove: Int64(job.alertAbove))
    }
}
