import Events
import Projector
import Values

/// A checkpoint as it is stored:
/// `{_id: {b, s, p}, format, offset, at, generation, frozen, totals: {…}, complete: [{list, run, cuts}], stopped}`; `stopped` is
/// `{o, event, type, key, problem, message}`, and there where something has stopped the build.
enum CheckpointDocument {
    static func id(_ build: BuildID, _ partition: PartitionID) -> Value {
        ["b": .string(build.description), "s": .string(partition.stream), "p": .int32(Int32(partition.number))]
    }

    /// What a build's checkpoint is before its first event.
    static func initial(_ checkpoint: Checkpoint) -> Document {
        [
            "format": .int32(StoredFormat.current), "offset": .int64(0), "generation": .int64(0), "frozen": .null,
            "totals": totals(checkpoint.totals), "complete": .array([]),
        ]
    }

    /// Rule 14: the offset, the build, the generation, and that no switch froze it. What it says is complete is compared
    /// too: a worker that read it before another noted more would put back less, which rule 12 forbids. So is how many
    /// documents were removed, since removing what has expired moves nothing else.
    static func filter(_ checkpoint: Checkpoint) -> Document {
        [
            "_id": id(checkpoint.build, checkpoint.partition), "offset": .int64(checkpoint.offset), "generation": .int64(checkpoint.generation),
            "frozen": .null, "complete": complete(checkpoint.complete), "totals.deleted": .int64(checkpoint.totals.deleted),
        ]
    }

    static func change(from: Checkpoint, to checkpoint: Checkpoint) -> Document {
        var fields: Document = [
            "offset": .int64(checkpoint.offset), "at": .date(checkpoint.time), "totals": totals(checkpoint.totals), "complete": complete(checkpoint.complete),
        ]
        if from.stopped != checkpoint.stopped { fields.append("stopped", checkpoint.stopped.map(standstill) ?? .null) }
        return ["$set": .document(fields)]
    }

    private static func standstill(_ standstill: Standstill) -> Value {
        [
            "o": .int64(standstill.offset), "event": standstill.eventId.map(Value.string) ?? .null, "type": standstill.type.map(Value.string) ?? .null,
            "key": standstill.key.map(Value.string) ?? .null, "problem": .string(standstill.refusal.problem.rawValue),
            "message": .string(standstill.refusal.message),
        ]
    }

    /// Adds to what it counts.
    static func adding(_ totals: ProjectionTotals) -> Document {
        ["$inc": .document(Document(ProjectionTotals.counts.map { Document.Field("totals.\($0.name)", .int64(totals[keyPath: $0.path])) }))]
    }

    static func complete(_ lists: [ListCompleteness]) -> Value {
        .array(lists.map { ["list": .string($0.list), "run": .string($0.token.run), "cuts": .int64($0.token.cuts)] })
    }

    static func decode(_ document: Document) throws(Refusal) -> Checkpoint {
        try StoredFormat.check(document, "a checkpoint")
        guard let id = document["_id"]?.asDocument, let build = id["b"]?.asString.flatMap(BuildID.init), let stream = id["s"]?.asString,
            let number = id["p"]?.asInteger, let offset = document["offset"]?.asInteger, let generation = document["generation"]?.asInteger,
            let totals = document["totals"]?.asDocument
        else { throw Refusal(.logDamaged, "a checkpoint lacks a field: \(document["_id"].map(JSON.write) ?? "no id")") }
        var checkpoint = Checkpoint(build: build, partition: PartitionID(stream: stream, number: Int(number)))
        checkpoint.offset = offset
        // Those of earlier versions have none, and remove nothing before they move.
        checkpoint.time = document["at"]?.asDate ?? 0
        checkpoint.generation = generation
        checkpoint.frozen = document["frozen"]?.asString
        checkpoint.totals = self.totals(totals)
        checkpoint.complete = (document["complete"]?.asArray ?? []).compactMap { entry in
            guard let entry = entry.asDocument, let list = entry["list"]?.asString, let run = entry["run"]?.asString, let cuts = entry["cuts"]?.asInteger
            else { return nil }
            return ListCompleteness(list: list, token: BufferToken(run: run, cuts: cuts))
        }
        // What moved the checkpoint without knowing of it has passed it.
        if let stored = document["stopped"]?.asDocument, stored["o"]?.asInteger == offset {
            checkpoint.stopped = Standstill(
                build: build, partition: checkpoint.partition, offset: offset, eventId: stored["event"]?.asString, type: stored["type"]?.asString,
                key: stored["key"]?.asString,
                refusal: Refusal(Problem(rawValue: stored["problem"]?.asString ?? ""), stored["message"]?.asString ?? ""))
        }
        return checkpoint
    }

    static func totals(_ totals: ProjectionTotals) -> Value {
        .document(Document(ProjectionTotals.counts.map { Document.Field($0.name, .int64(totals[keyPath: $0.path])) }))
    }

    static func totals(_ stored: Document) -> ProjectionTotals {
        var totals = ProjectionTotals()
        for (name, path) in ProjectionTotals.counts { totals[keyPath: path] = stored[name]?.asInteger ?? 0 }
        return totals
    }
}
