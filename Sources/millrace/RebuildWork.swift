import Definitions
import Events
import Jobs
import Projector
import Values

/// A job that folds models into new builds.
struct RebuildWork: BatchWork {
    private let job: JobDefinition.Rebuild
    private let configuration: Configuration

    let kind = RunKind.rebuild

    init(_ job: JobDefinition.Rebuild, _ configuration: Configuration) {
        self.job = job
        self.configuration = configuration
    }

    func run(_ context: BatchContext) async throws -> RunOutcome {
        var settings = Rebuild.Settings()
        settings.keep = job.keep
        settings.rate = job.throttle
        let site = try await RebuildSite(configuration, logger: context.logger)
        var stages: [RunOutcome.Stage] = []
        var sums = Document()
        for name in job.models {
            let model = try configuration.require(model: name)
            if !job.isFromSource, let live = try await site.pointer(to: model).liveBuild, live.loaded != nil {
                throw Refusal(
                    .badConfiguration,
                    "\(live.id) was loaded from its source of truth, and what only that knows would be gone: say fromSource: true, or rebuild it by hand")
            }
            settings.rows = job.isFromSource ? try site.rows(of: model) : nil
            let outcome = try await site.rebuild(model, settings, isRecorded: false) { _, _, _, _ in }
            stages += outcome.stages.map { RunOutcome.Stage("\(name) \($0.name)", seconds: $0.seconds, sums: $0.sums) }
            sums.append(name, .document(outcome.sums))
        }
        return RunOutcome(stages: stages, sums: sums)
    }
}
