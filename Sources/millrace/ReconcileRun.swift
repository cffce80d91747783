import Definitions
import Events
import Jobs
import Logging
import Models
import MongoStore
import Projector
import Values

/// A reconcile of some models, one after the other, each with a report that is kept.
struct ReconcileRun: Sendable {
    /// What became of a model.
    struct Result: Sendable {
        var build: BuildID
        var report: DriftReportID
        /// nil where the log was not asked.
        var outcome: Reconcile.Outcome?
        /// nil where there is no source of truth, or it was not asked.
        var source: SourceReconcile.Outcome?
        var lasted: Duration
    }

    let reader: Reader
    let models: [String]
    let plan: Reconcile.Plan
    /// What the documents are compared with.
    let truths: Set<Drift.Truth>
    let logger: Logger
    private let database: String
    private let scan: MongoScan
    private let leases: MongoLeases
    private let owner = Owner.make()
    let reports: MongoDrift

    /// Beside the reader's own: the scan's, the leases' and one for each source of truth that is a collection.
    static func connections(_ configuration: Configuration) -> Int { 3 + configuration.models.count { $0.truth != nil } }

    /// - Parameter models: all that have a build when none is named.
    init(_ reader: Reader, models: [String], _ plan: Reconcile.Plan, against truths: Set<Drift.Truth>, logger: Logger) throws {
        self.reader = reader
        if truths == [.source] {
            for model in models where reader.configuration.model(model)?.truth == nil {
                throw Refusal(.badInput, "\(model) has no source of truth: its definition has no source:")
            }
            self.models = reader.built(models).filter { reader.configuration.model($0)?.truth != nil }
        } else {
            self.models = reader.built(models)
        }
        self.plan = plan
        self.truths = truths
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
            guard let result = try await reader.live(model, { try await reconcile($0) }) else { throw Refusal.noBuild(of: model) }
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
            var result = Result(build: build.id, report: report, lasted: .zero)
            if truths.contains(.log) { result.outcome = try await Reconcile(definition, partitions, stores, plan, report: report, logger: logger).run() }
            // What the log makes comes first: it is what a source is compared with.
            if result.outcome?.isDeclined != true {
                do {
                    result.source = try await compareWithSource(definition, report, after: result.outcome?.reported ?? 0)
                } catch {
                    // What the log has shown, and what was done about it, is true all the same.
                    if result.outcome != nil { try? await reports.end(report, result.document(isRepair: plan.isRepair)) }
                    throw error
                }
            }
            try await reports.end(report, result.document(isRepair: plan.isRepair))
            result.lasted = .now - started
            return result
        }
    }

    private func record(_ started: ContinuousClock.Instant, _ outcome: RunOutcome) async throws {
        try await reader.runs.record(RunRecord("reconcile", .reconcile, owner: owner, started: started, outcome))
    }

    /// What a receipt says of it.
    ///
    /// - Parameter alertAbove: so many drifted documents are good still, unless they were too many to be repaired.
    static func outcome(of results: [Result], alertAbove: Int64 = 0) -> RunOutcome {
        var (counts, sources) = (DriftCounts(), DriftCounts())
        var refused: Int64 = 0
        var isDeclined = false
        var stages: [RunOutcome.Stage] = []
        var problems: [Refusal] = []
        for result in results {
            for outcome in [result.outcome, result.source?.drift].compactMap(\.self) {
                for stage in outcome.stages {
                    stages.append(RunOutcome.Stage("\(result.build.model) \(stage.name)", seconds: stage.lasted / .seconds(1)))
                }
                isDeclined = isDeclined || outcome.isDeclined
            }
            if let outcome = result.outcome { counts += outcome.counts }
            if let source = result.source {
                sources += source.drift.counts
                refused += source.refused
            }
            problems += result.problems
        }
        var sums = counts.document
        if results.contains(where: { $0.source != nil }) {
            sums.append("rows", .int64(sources.documents))
            sums.append("drifted", .int64(sources.drifted))
            sums.append("corrected", .int64(sources.repaired))
        }
        let isGood = counts.drifted + sources.drifted <= alertAbove && refused == 0 && !isDeclined
        return RunOutcome(isGood ? .good : .notGood, stages: stages, sums: sums, problems: problems)
    }
}

extension ReconcileRun.Result {
    /// As it is stored with the report, and printed.
    func document(isRepair: Bool) -> Document {
        let compared = source?.document
        var document = outcome?.document(build, isRepair: isRepair) ?? ["build": .string(build.description), "outcome": compared?["outcome"] ?? "clean"]
        if let compared { document.append("source", .document(compared)) }
        return document
    }

    /// What a person is told beside the numbers.
    var problems: [Refusal] { (outcome?.problem(of: build).map { [$0] } ?? []) + (source?.problems(of: build) ?? []) }
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
