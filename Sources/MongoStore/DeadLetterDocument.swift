import Events
import Projector
import Values

/// A dead letter as it is stored: `{_id: {b, s, p, o}, format, problem, message, key, type, at}`; `b` is null for an
/// element that is no event. `decision` is there where one was made: `crash-parked` or `dropped`.
enum DeadLetterDocument {
    static func id(_ id: DeadLetterID) -> Value {
        [
            "b": build(id.build), "s": .string(id.partition.stream), "p": .int32(Int32(id.partition.number)), "o": .int64(id.offset),
        ]
    }

    static func build(_ build: BuildID?) -> Value { build.map { .string($0.description) } ?? .null }

    static func fields(_ letter: DeadLetter) -> Document {
        var fields: Document = [
            "format": .int32(StoredFormat.current),
            "problem": .string(letter.refusal.problem.rawValue),
            "message": .string(letter.refusal.message),
            "key": letter.key.map(Value.string) ?? .null,
            "type": letter.type.map(Value.string) ?? .null,
            "at": .date(letter.at),
        ]
        if let decision = letter.decision { fields.append("decision", .string(decision.rawValue)) }
        return fields
    }

    static func decode(_ stored: Document) throws(Refusal) -> DeadLetter {
        try StoredFormat.check(stored, "a dead letter")
        guard let id = stored["_id"]?.asDocument, let stream = id["s"]?.asString, let number = id["p"]?.asInteger, let offset = id["o"]?.asInteger,
            let problem = stored["problem"]?.asString, let message = stored["message"]?.asString, let at = stored["at"]?.asDate
        else { throw Refusal(.logDamaged, "a dead letter lacks a field: \(stored["_id"].map(JSON.write) ?? "no id")") }
        var letter = DeadLetter(
            build: id["b"]?.asString.flatMap(BuildID.init), partition: PartitionID(stream: stream, number: Int(number)), offset: offset,
            refusal: Refusal(Problem(rawValue: problem), message), key: stored["key"]?.asString, type: stored["type"]?.asString, at: at
        )
        letter.decision = try decision(stored)
        return letter
    }

    /// Throws for one that a newer Millrace made: what it means is not guessed at.
    static func decision(_ stored: Document) throws(Refusal) -> Decision? {
        guard let text = stored["decision"]?.asString else { return nil }
        guard let decision = Decision(rawValue: text) else {
            throw Refusal(.newerFormat, "a dead letter has the decision \(text), which this binary does not know: use the newer Millrace that wrote it")
        }
        return decision
    }

    /// Each filter that finds few letters finds them in the order of the log, by an index of its own.
    static let createIndexes: Document = [
        "createIndexes": .string(Collections.deadLetters),
        "indexes": .array(
            [
                [
                    "key": ["_id.s": 1, "_id.p": 1, "_id.o": 1, "decision": 1], "name": "decided",
                    "partialFilterExpression": ["decision": ["$exists": true]],
                ],
                ["key": ["_id.s": 1, "_id.p": 1, "_id.o": 1, "_id.b": 1], "name": "place"],
            ]
                + [("_id.b", "build"), ("problem", "problem"), ("type", "type"), ("key", "key")].map { field, name in
                    ["key": .document(Document([Document.Field(field, 1)] + order(after: field))), "name": .string(name)]
                }),
    ]

    private static func order(after field: String) -> [Document.Field] {
        ["_id.s", "_id.p", "_id.o", "_id.b"].filter { $0 != field }.map { Document.Field($0, 1) }
    }

    /// Finds the decisions on a partition's events; an index holds no other letters.
    static func decisions(_ partition: PartitionID, from offset: Int64, keys: [String]?) -> Document {
        var filter = place(partition, offset..<Int64.max)
        filter.append("decision", ["$exists": true])
        if let keys { filter.append("key", ["$in": .array(keys.map(Value.string))]) }
        return filter
    }

    /// Finds a build's letters of some keys that were not dropped.
    static func open(in build: BuildID, _ partition: PartitionID, below offset: Int64, keys: [String]) -> Document {
        var filter = place(partition, 0..<offset)
        filter.append("_id.b", self.build(build))
        filter.append("key", ["$in": .array(keys.map(Value.string))])
        filter.append("decision", ["$ne": .string(Decision.dropped.rawValue)])
        return filter
    }

    /// Finds a partition's letters in a range of offsets.
    static func place(_ partition: PartitionID, _ offsets: Range<Int64>) -> Document {
        [
            "_id.s": .string(partition.stream), "_id.p": .int32(Int32(partition.number)),
            "_id.o": ["$gte": .int64(offsets.lowerBound), "$lt": .int64(offsets.upperBound)],
        ]
    }
}
