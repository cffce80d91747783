import Events
import Models
import Values

/// What a reconcile has found so far, counted and reported.
struct DriftFindings {
    var outcome = Reconcile.Outcome()
    private let plan: Reconcile.Plan
    private let limits: Reconcile.Limits
    private let reports: any DriftReports
    private let report: DriftReportID
    private var waiting: [Drift] = []
    private var mostReported: Int64
    private var lastMark = ContinuousClock.now

    /// Drifted documents that are written to the report at once.
    private static let page = 500

    /// What is in the report already.
    private let before: Int64

    /// - Parameter before: how much is in the report already.
    init(_ plan: Reconcile.Plan, _ limits: Reconcile.Limits, _ reports: any DriftReports, _ report: DriftReportID, after before: Int64 = 0) {
        self.plan = plan
        self.limits = limits
        self.reports = reports
        self.report = report
        self.before = before
        mostReported = max(limits.reported, plan.maxChange ?? 0)
    }

    /// About how many documents there will be: what may be repaired must be in the report.
    mutating func expect(documents: Int64) {
        if plan.maxChange == nil { mostReported = max(mostReported, documents / 100) }
    }

    /// Compares documents that may differ, and notes those that do.
    mutating func take(_ keys: [ExactString], in partition: PartitionID, _ check: DriftCheck) async throws {
        try await note(check.check(keys, isRepair: false))
    }

    mutating func note(_ drift: [Drift]) async throws {
        for one in drift {
            outcome.counts.count(one)
            if outcome.reported + Int64(waiting.count) < mostReported { waiting.append(one) }
        }
        if waiting.count >= Self.page { try await finish() }
    }

    /// Writes what is waiting for the report.
    mutating func finish() async throws {
        guard !waiting.isEmpty else { return }
        try await reports.add(waiting, from: before + outcome.reported, to: report)
        outcome.reported += Int64(waiting.count)
        waiting = []
    }

    /// Whether there is too much drift to be repaired: it is more likely that the truth is wrong.
    mutating func decide() {
        outcome.maxChange = plan.maxChange ?? max(Reconcile.Plan.leastChange, outcome.counts.documents / 100)
        outcome.isDeclined = plan.isRepair && outcome.counts.drifted > outcome.maxChange
    }

    /// Ends a stage.
    mutating func mark(_ stage: String) {
        outcome.stages.append((stage, .now - lastMark))
        lastMark = .now
    }
}
