import Events
import Projector
import Values

/// The stored form of a run: `{_id, format, job, kind, owner, started, ended, outcome, stages, sums, problems, partitions}`.
enum RunDocument {
    static func encode(_ record: RunRecord, ended: Int64, partitions: [Value]) -> Document {
        var document: Document = [
            "_id": .string(record.id), "format": .int32(StoredFormat.current), "job": .string(record.job), "kind": .string(record.kind.rawValue),
            "owner": .string(record.owner), "started": .date(ended - record.lasted.milliseconds), "ended": .date(ended),
            "outcome": .string(record.outcome.verdict.rawValue),
            "stages": .array(
                record.outcome.stages.map { ["name": .string($0.name), "seconds": .double($0.seconds), "sums": .document($0.sums)] }),
            "sums": .document(record.outcome.sums),
            "problems": .array(record.outcome.problems.map { ["problem": .string($0.problem.rawValue), "message": .string($0.message)] }),
        ]
        if !partitions.isEmpty { document.append("partitions", .array(partitions)) }
        return document
    }

    /// Throws a `Refusal` for one that a newer Millrace wrote.
    static func decode(_ document: Document) throws -> PastRun {
        let id = document["_id"]?.asString ?? ""
        try StoredFormat.check(document, "the run \(id)")
        // The first receipts were those of drains alone, under another name.
        let kind = document["kind"]?.asString ?? RunKind.drain.rawValue
        let verdict = document["outcome"]?.asString ?? RunOutcome.Verdict.good.rawValue
        guard let kind = RunKind(rawValue: kind), let verdict = RunOutcome.Verdict(rawValue: verdict) else {
            throw Refusal(.newerFormat, "the run \(id) is of kind \(kind) and ended \(verdict), which this binary does not know: use a newer Millrace")
        }
        let stages = document["stages"]?.asArray?.compactMap(\.asDocument) ?? []
        let problems = document["problems"]?.asArray?.compactMap(\.asDocument) ?? []
        let outcome = RunOutcome(
            verdict,
            stages: stages.map(stage),
            sums: document["sums"]?.asDocument ?? document["receipt"]?.asDocument ?? Document(),
            problems: problems.map { Refusal(Problem(rawValue: $0["problem"]?.asString ?? ""), $0["message"]?.asString ?? "") })
        return PastRun(
            id: id, job: document["job"]?.asString ?? "", kind: kind, owner: document["owner"]?.asString ?? "", started: document["started"]?.asDate ?? 0,
            ended: document["ended"]?.asDate ?? 0, outcome: outcome)
    }

    private static func stage(_ document: Document) -> RunOutcome.Stage {
        var seconds = 0.0
        if case .double(let stored)? = document["seconds"] { seconds = stored }
        return .init(document["name"]?.asString ?? "", seconds: seconds, sums: document["sums"]?.asDocument ?? Document())
    }

    /// What finds the runs that are meant, after `last` in the order of `newestFirst`.
    static func filter(_ filter: RunFilter, after last: PastRun?) -> Document {
        var query = Document()
        if let job = filter.job { query.append("job", .string(job)) }
        if let kind = filter.kind {
            // Of the first receipts, none says of what kind it is.
            query.append("kind", kind == .drain ? ["$in": [.string(kind.rawValue), .null]] : .string(kind.rawValue))
        }
        if let verdict = filter.verdict { query.append("outcome", verdict == .good ? ["$in": [.string(verdict.rawValue), .null]] : .string(verdict.rawValue)) }
        if let since = filter.since { query.append("ended", ["$gte": .date(since)]) }
        guard let last else { return query }
        query.append("$or", [["ended": ["$lt": .date(last.ended)]], ["ended": .date(last.ended), "_id": ["$lt": .string(last.id)]]])
        return query
    }

    static let newestFirst: Value = ["ended": -1, "_id": -1]
}
