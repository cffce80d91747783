import Definitions
import Events
import Jobs
import Models
import MongoStore
import Projector
import Values

extension ReconcileRun {
    /// Compares a build with its model's source of truth, where it has one and that is asked for.
    ///
    /// - Parameter reported: what the report has already.
    func compareWithSource(
        _ definition: FoldDefinition, _ report: DriftReportID, after reported: Int64
    ) async throws -> SourceReconcile.Outcome? {
        guard truths.contains(.source), let model = reader.configuration.model(definition.build.model), let truth = model.truth,
            let stream = reader.configuration.stream(model.stream)
        else { return nil }
        let stores = SourceReconcile.Stores(
            documents: reader.store, log: reader.log, lists: try RedisCorrections(reader.configuration, stream), reports: reports)
        return try await SourceReconcile(
            definition, stream, truth, try truth.rows(reader.configuration) { try reader.connection("source") }, stores, plan, report: report, after: reported,
            logger: logger
        ).run()
    }

}

extension SourceOfTruth {
    /// Where its rows come from.
    ///
    /// - Parameter connection: another one, with a session of its own.
    func rows(_ configuration: Configuration, _ connection: () throws -> MongoConnection) throws -> any TruthSource {
        switch origin {
        case .command(let words): CommandSource(words)
        case .file(let path): FileSource(path: path)
        case .collection(let collection): MongoSource(connection: try connection(), database: configuration.mongodb.database, collection)
        }
    }
}

extension SourceReconcile.Outcome {
    /// As it is stored with the report, and printed.
    var document: Document {
        let counts = drift.counts
        return [
            "rows": .int64(counts.documents), "missing": .int64(counts.missing), "extra": .int64(counts.extra), "different": .int64(counts.different),
            "passing": .int64(passing), "refused": .int64(refused), "corrected": .int64(counts.repaired),
            "outcome": .string(isClean ? "clean" : drift.isDeclined ? "declined" : counts.repaired > 0 ? "corrected" : "drift"),
            "maxChange": .int64(drift.maxChange), "seconds": .document(Document(drift.stages.map { .init($0.name, .double($0.lasted / .seconds(1))) })),
        ]
    }

    /// What a person is told beside the numbers.
    func problems(of build: BuildID) -> [Refusal] {
        var problems = refusals
        if refused > Int64(refusals.count) {
            problems.append(Refusal(.badInput, "\(Output.count(refused - Int64(refusals.count))) more rows of the source of truth of \(build) are of no use"))
        }
        if drift.isDeclined {
            problems.append(
                Refusal(
                    .tooMuchDrift,
                    "\(Output.count(drift.counts.drifted)) documents of \(build) are not what the source of truth says, more than the "
                        + "\(Output.count(drift.maxChange)) that may be changed: nothing was pushed; look at them, then give --max-change"))
        } else if !drift.isClean {
            problems.append(Refusal(.drift, "\(Output.count(drift.counts.drifted)) documents of \(build) were not what the source of truth says"))
        }
        return problems
    }
}
