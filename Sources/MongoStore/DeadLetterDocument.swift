import Events
import Projector
import Values

/// A dead letter as it is stored: `{_id: {b, s, p, o}, format, problem, message, key, type, at}`; `b` is null for an
/// element that is no event.
enum DeadLetterDocument {
    static func id(_ letter: DeadLetter) -> Value {
        [
            "b": letter.build.map { .string($0.description) } ?? .null, "s": .string(letter.partition.stream),
            "p": .int32(Int32(letter.partition.number)), "o": .int64(letter.offset),
        ]
    }

    static func fields(_ letter: DeadLetter) -> Document {
        [
            "format": .int32(StoredFormat.current),
            "problem": .string(letter.refusal.problem.rawValue),
            "message": .string(letter.refusal.message),
            "key": letter.key.map(Value.string) ?? .null,
            "type": letter.type.map(Value.string) ?? .null,
            "at": .date(letter.at),
        ]
    }
}
