import Events
import Projector
import Values

/// A dead letter as it is stored: `{_id: {b, s, p, o}, format, problem, message, key, type, at}`; `b` is null for an
/// element that is no event. `decision` is there where one was made: `crash-parked` or
/// `dropped`.
enum DeadLetterDocument {
    static func id(_ letter: DeadLetter) -> Value {
        [
            "b": letter.build.map { .string($0.description) } ?? .null, "s": .string(letter.partition.stream),
            "p": .int32(Int32(letter.partition.number)), "o": .int64(letter.offset),
        ]
    }

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

    static let createIndexes: Document = [
        "createIndexes": .string(Collections.deadLetters),
        "indexes": [
            [
                "key": ["_id.s": 1, "_id.p": 1, "_id.o": 1, "decision": 1], "name": "decided",
                "partialFilterExpression": ["decision": ["$exists": true]],
            ]
        ],
    ]

    /// Finds the decisions on a partition's events; an index holds no other letters.
    static func decisions(_ partition: PartitionID, from offset: Int64, keys: [String]?) -> Document {
        var filter: Document = [
            "decision": ["$exists": true], "_id.s": .string(partition.stream), "_id.p": .int32(Int32(partition.number)),
            "_id.o": ["$gte": .int64(offset)],
        ]
        if let keys { filter.append("key", ["$in": .array(keys.map(Value.string))]) }
        return filter
    }
}
