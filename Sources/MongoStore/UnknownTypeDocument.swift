import Events
import Projector
import Values

/// Events of a type that a build's model does not name, as it is stored: `{_id: {b, s, p, t}, format, count, first, last}`.
/// `t` is null for all types beyond the first thousand.
enum UnknownTypeDocument {
    static func id(_ build: BuildID, _ partition: PartitionID, _ type: ExactString?) -> Value {
        [
            "b": .string(build.description), "s": .string(partition.stream), "p": .int32(Int32(partition.number)),
            "t": type.map { .string($0.text) } ?? .null,
        ]
    }

    static func adding(_ unknown: UnknownType) -> Document {
        [
            "$inc": ["count": .int64(unknown.count)], "$min": ["first": .int64(unknown.first)], "$max": ["last": .int64(unknown.last)],
            "$setOnInsert": ["format": .int32(StoredFormat.current)],
        ]
    }

    /// Finds those of a build in a partition: `{b, s, p}` sorts before them, and `{b, s, p + 1}` after them.
    static func all(_ build: BuildID, _ partition: PartitionID) -> Document {
        func bound(_ number: Int) -> Value { ["b": .string(build.description), "s": .string(partition.stream), "p": .int32(Int32(number))] }
        return ["_id": ["$gte": bound(partition.number), "$lt": bound(partition.number + 1)]]
    }

    /// Finds those of a build in every partition.
    static func all(of build: BuildID) -> Document { ["_id.b": .string(build.description)] }

    static func decode(_ stored: Document) throws(Refusal) -> UnknownType {
        try StoredFormat.check(stored, "a count of an unknown type")
        guard let id = stored["_id"]?.asDocument, let count = stored["count"]?.asInteger, let first = stored["first"]?.asInteger,
            let last = stored["last"]?.asInteger
        else { throw Refusal(.logDamaged, "a count of an unknown type lacks a field: \(stored["_id"].map(JSON.write) ?? "no id")") }
        return UnknownType(type: id["t"]?.asString.map { ExactString($0) }, count: count, first: first, last: last)
    }
}

extension MongoConnection {
    func unknownTypes(_ database: String, _ build: BuildID, _ partition: PartitionID) throws -> [UnknownType] {
        try documents(database, Collections.unknownTypes, UnknownTypeDocument.all(build, partition), "read unknown types").map(UnknownTypeDocument.decode)
    }
}
