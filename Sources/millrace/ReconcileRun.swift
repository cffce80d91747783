import Definitions
import Events
import Jobs
import Logging
import MongoStore
import Projector
import Values

/// A reconcile of some models, one after the other, each with a report that is kept.
struct ReconcileRun: Sendable {
    /// What became of a model.
    struct Result: Sendable {
        var build: BuildID
        var report: DriftReportID
        var outcome: Reconcile.Outcome
        var lasted: Duration
    }

    let reader: Reader
    let models: [String]
    let plan: Reconcile.Plan
    let logger: Logger
    private let database: String
    private let scan: MongoScan
    private let leases: MongoLeases
    private let owner = Owner.make()
    let reports: MongoDrift

    /// Beside the reader's own: the scan's and the leases'.
    static let connections = 3

    /// - Parameter models: all that have a build when none is named.
    init(_ reader: Reader, models: [String], _ plan: Reconcile.Plan, logger: Logger) throws {
        self.reader = reader
        self.models = reader.built(models)
        self.plan = plan
        self.logger = logger
        database = reader.configuration.mongodb.database
        scan = MongoScan(connection: try reader.connection("scan"), database: database)
        let control = try reader.connection("leases")
        leases = MongoLeases(connection: control, database: database)
        reports = MongoDrift(connection: control, database: database)
    }

    /// Reconciles the models, and leaves a receipt.
    func run() async throws -> [Result] {
        let started = ContinuousClock.now
        do {
            let results = try await results()
            try await record(started, Self.outcome(of: results))
            return results
        } catch {
            // What ended it is said, whether that can be recorded or not.
            try? await record(started, RunOutcome(failure: error))
            throw error
        }
    }

    /// Reconciles the models.
    func results() async throws -> [Result] {
        var results: [Result] = []
        for model in models {
            guard let result = try await reader.live(model, { try await reconcile($0) }) else { throw reader.noBuild(of: model) }
            results.append(result)
        }
        return results
    }

    private func reconcile(_ build: StoredBuild) async throws -> Result {
        let (definition, partitions) = try reader.definition(of: build)
        return try await SoleWork.onTruth(of: build.id.model, leases, by: owner, reader.configuration.lease).run { _ in
            let started = ContinuousClock.now
            let report = try await reports.begin(build.id.model)
            let stores = Reconcile.Stores(
                documents: reader.store, snapshots: reader.snapshots, log: reader.log, scan: scan, leases: leases, reports: reports, holder: owner)
            let outcome = try await Reconcile(definition, partitions, stores, plan, report: report, logger: logger).run()
            try await reports.end(report, outcome.document(build.id, isRepair: plan.isRepair))
            return Result(build: build.id, report: report, outcome: outcome, lasted: .now - started)
        }
    }

    private func record(_ started: ContinuousClock.Instant, _ outcome: RunOutcome) async throws {
        try await reader.runs.record(RunRecord("reconcile", .reconcile, owner: owner, started: started, outcome))
    }

    /// What a receipt says of it.
    ///
    /// - Parameter alertAbove: so many drifted documents are good still, unless they were too many to be repaired.
    static func outcome(of results: [Result], alertAbove: Int64 = 0) -> RunOutcome {
        var counts = DriftCounts()
        var stages: [RunOutcome.Stage] = []
        var problems: [Refusal] = []
        for result in results {
            counts += result.outcome.counts
            for stage in result.outcome.stages {
                stages.append(RunOutcome.Stage("\(result.build.model) \(stage.name)", seconds: stage.lasted / .seconds(1)))
            }
            if let problem = result.outcome.problem(of: result.build) { problems.append(problem) }
        }
        let isGood = counts.drifted <= alertAbove && !results.contains(where: \.outcome.isDeclined)
        return RunOutcome(isGood ? .good : .notGood, stages: stages, sums: counts.document, problems: problems)
    }
}

extension DriftCounts {
    static func += (left: inout DriftCounts, right: DriftCounts) {
        left.documents += right.documents
        left.missing += right.missing
        left.extra += right.extra
        left.different += right.different
        left.repaired += right.repaired
    }

    var document: Document {
        [
            "documents": .int64(documents), "missing": .int64(missing), "extra": .int64(extra), "different": .int64(different), "repaired": .int64(repaired),
        ]
    }
}

extension Reconcile.Outcome {
    /// As it is stored with the report, and printed.
    func document(_ build: BuildID, isRepair: Bool) -> Document {
        let own: Document = [
            "build": .string(build.description), "outcome": .string(isClean ? "clean" : isDeclined ? "declined" : isRepair ? "repaired" : "drift"),
            "reported": .int64(reported), "maxChange": .int64(maxChange),
        ]
        let stages = Document(stages.map { Document.Field($0.name, .double($0.lasted / .seconds(1))) })
        return Document(own.fields + counts.document.fields + [Document.Field("seconds", .document(stages))])
    }

    /// What a person is told beside the numbers; nil where nothing drifted.
    func problem(of build: BuildID) -> Refusal? {
        if isClean { return nil }
        if isDeclined {
            return Refusal(
                .tooMuchDrift,
                "\(Output.count(counts.drifted)) documents of \(build) are not what the log makes them, more than the \(Output.count(maxChange)) that may be "
                    + "changed: nothing was written; look at them, then give --max-change")
        }
        return Refusal(.drift, "\(Output.count(counts.drifted)) documents of \(build) were not what the log makes them")
    }
}
