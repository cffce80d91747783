import ArgumentParser
import Definitions
import Events
import Models
import MongoStore
import Projector
import Values

struct ExplainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain", abstract: "Says why a document looks so: which event made each field, and what was ignored or parked.",
        discussion: "Folds the events of its key from the log, one by one, as far as they are applied. Exits 1 when there is no document."
    )

    @OptionGroup var options: GlobalOptions

    @Argument(help: "The model.")
    var model: String

    @Argument(help: "The document's id: the key of its events.")
    var id: String

    func run() async throws {
        let found = try await Ending.of { try await read() }
        if options.json { Output.line(JSON.write(.document(document(found)))) } else { show(found) }
        if !found.isThere { throw Ending.notGood }
    }

    private struct Found {
        var build: BuildID
        var partition: PartitionID
        /// How far the build has taken the log.
        var checkpoint: Checkpoint
        var explanation: Explanation
        /// Whether the stored document is what the log makes it.
        var isAsLogged: Bool
        /// When it expired, if it did.
        var expired: Int64?

        var isThere: Bool { explanation.document != nil && expired == nil }
    }

    private func read() async throws -> Found {
        let configuration = try options.load()
        try configuration.require(model: model)
        let reader = try await Reader(configuration)
        guard let found = try await reader.live(model, { try await read($0, reader) }) else {
            throw Refusal(.unknownName, "\(model) has no build yet: it is made when a worker starts")
        }
        return found
    }

    private func read(_ build: StoredBuild, _ reader: Reader) async throws -> Found {
        let configuration = reader.configuration
        guard let stream = configuration.stream(build.stream) else {
            throw Refusal(.unknownName, "there is no stream \(build.stream), which \(build.id) is of")
        }
        let number = Partitioning.partition(of: id.utf8, count: stream.partitions)
        let partition = PartitionID(stream: stream.name, number: number)
        let fold = try build.fold(configuration.model(model))
        for _ in 0..<Self.attempts {
            let checkpoint = try await reader.checkpoint(of: build.id, partition)
            let stored = try await reader.readings.document(of: build.id, key: id)
            let decisions = try await reader.store.decisions(on: build.id, partition, from: 0, keys: [id])
            // Documents change with their checkpoint: where that has moved meanwhile, they are of different moments.
            guard try await reader.checkpoint(of: build.id, partition).offset == checkpoint.offset else { continue }
            var explanation = Explanation(of: id, build: build.id, fold: fold, decisions: decisions)
            if let start = try await reader.store.beginning(of: [ExactString(id)], in: build.id, partition) {
                explanation.begin(with: start.rows, at: start.offset)
            }
            try await explanation.read(reader.log, partition, below: checkpoint.offset)
            // What has expired by the checkpoint's time is removed at any time.
            let found = (stored.flatMap(StoredDocument.init)?.isExpired(at: checkpoint.time) ?? false) ? nil : stored
            let isAsLogged = found.map { BSON.encode($0) } == explanation.document?.unlessExpired(at: checkpoint.time)?.bson
            let now = build.expires ? try await reader.log.clock() : 0
            let expired = explanation.document.flatMap { $0.isExpired(at: now) ? $0.expires : nil }
            return Found(
                build: build.id, partition: partition, checkpoint: checkpoint, explanation: explanation, isAsLogged: isAsLogged, expired: expired)
        }
        throw Refusal(.noProgress, "\(partition) is written to so fast that its documents cannot be read at one moment: try again")
    }

    /// Reads take milliseconds, and a batch tens of them.
    private static let attempts = 20

    // MARK: For people

    private func show(_ found: Found) {
        let explanation = found.explanation
        if let expired = found.expired {
            Output.line("\(found.build) has no document \(id): it expired at \(DateTime.format(milliseconds: expired))")
        } else if explanation.document == nil {
            let removed = explanation.removedBy.map { "removed by \($0.type ?? "") \($0.id ?? "") at offset \($0.offset)" }
            Output.line("\(found.build) has no document \(id): \(removed ?? "no event has made one")")
        } else {
            Output.table(
                ["field", "value", "made by", "event", "offset", "at"],
                fields(explanation).map { field in
                    [field.path.joined(separator: "."), Self.short(field.value)] + Self.cells(field.madeBy)
                }
            )
        }
        if found.isThere, isOrphan(explanation) { Output.line("it is an orphan: no root event has made it whole yet, and nobody is served it") }
        if !explanation.exceptions.isEmpty {
            Output.line("")
            if explanation.earlierExceptions > 0 { Output.line("\(Output.count(explanation.earlierExceptions)) more before these") }
            Output.table(
                ["left out", "made by", "event", "offset", "at", "why"],
                explanation.exceptions.map { [$0.fate.name] + Self.cells($0.source) + [why($0.fate, found.build.model)] }
            )
        }
        let totals = explanation.totals
        Output.line("")
        Output.line(
            "applied \(Output.count(totals.applied)), ignored \(Output.count(totals.ignored)), parked \(Output.count(totals.parked)), "
                + "held \(Output.count(totals.held)), duplicates \(Output.count(totals.duplicates)) of \(found.partition) below offset \(found.checkpoint.offset)"
                + (explanation.waiting > 0 ? "; \(Output.count(explanation.waiting)) logged and not applied yet" : "")
        )
        if let standstill = found.checkpoint.stopped { Output.line("\(standstill)") }
        Output.line(
            found.isAsLogged ? "the stored document is what the log makes it" : "drift: the stored document is not what the log makes it, which is shown here"
        )
    }

    /// Those that somebody can be served.
    private func fields(_ explanation: Explanation) -> [Explanation.Field] {
        explanation.fields.filter { !StoredDocument.hiddenFields.contains($0.path[0]) }
    }

    private func isOrphan(_ explanation: Explanation) -> Bool { explanation.document?.fields[StoredDocument.orphanField] != nil }

    private static func cells(_ source: Explanation.Source) -> [String] {
        [
            source.isLoad ? "a row of its source" : source.type ?? "-", source.id ?? "-", source.isLoad ? "-" : String(source.offset),
            DateTime.format(milliseconds: source.time ?? source.loggedAt),
        ]
    }

    private func why(_ fate: Explanation.Fate, _ model: String) -> String {
        switch fate {
        case .ignored: "\(model) has no effect for it, or it was dropped"
        case .held: "an earlier event of its key is parked"
        case .duplicate(let original): "it is the event of offset \(original) again"
        case .parked(let refusal): refusal.description
        }
    }

    /// A value on a line with others.
    private static func short(_ value: Value) -> String {
        let text = JSON.write(value)
        return text.count <= 60 ? text : text.prefix(60) + "…"
    }

    // MARK: For machines

    private func document(_ found: Found) -> Document {
        let explanation = found.explanation
        let fields = (found.isThere ? fields(explanation) : []).map { field -> Value in
            ["path": .array(field.path.map(Value.string)), "value": field.value, "madeBy": Self.document(field.madeBy)]
        }
        let exceptions = explanation.exceptions.map { exception -> Value in
            var document: Document = ["fate": .string(exception.fate.name), "event": Self.document(exception.source)]
            switch exception.fate {
            case .duplicate(let original): document.append("original", .int64(original))
            case .parked(let refusal):
                document.append("problem", .string(refusal.problem.rawValue))
                document.append("message", .string(refusal.message))
            case .ignored, .held: break
            }
            return .document(document)
        }
        let totals = explanation.totals
        return [
            "build": .string(found.build.description), "partition": .int64(Int64(found.partition.number)), "end": .int64(found.checkpoint.offset),
            "exists": .bool(found.isThere), "expired": found.expired.map(Value.date) ?? .null, "orphan": .bool(isOrphan(explanation)),
            "asLogged": .bool(found.isAsLogged), "fields": .array(fields),
            "removedBy": explanation.removedBy.map(Self.document) ?? .null, "leftOut": .array(exceptions),
            "earlierLeftOut": .int64(explanation.earlierExceptions), "applied": .int64(totals.applied), "ignored": .int64(totals.ignored),
            "parked": .int64(totals.parked), "held": .int64(totals.held), "duplicates": .int64(totals.duplicates), "waiting": .int64(explanation.waiting),
            "stopped": found.checkpoint.stopped.map { .document($0.document) } ?? .null,
        ]
    }

    private static func document(_ source: Explanation.Source) -> Value {
        if source.isLoad { return ["loaded": true, "at": .date(source.loggedAt)] }
        return [
            "offset": .int64(source.offset), "eventId": source.id.map(Value.string) ?? .null, "eventType": source.type.map(Value.string) ?? .null,
            "occurredAt": source.time.map(Value.date) ?? .null, "loggedAt": .date(source.loggedAt),
        ]
    }
}
