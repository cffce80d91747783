import Events
import Projector
import Values

/// What reconciles have found, in one collection.
///
/// A report's head is `{_id: {m, r}, format, …}`; its documents are `{_id: {m, r, n}, format, s, p, id, kind, fields}`, and so
/// come right behind it.
public struct MongoDrift: DriftReports {
    let connection: MongoConnection
    let database: String

    /// Reports that are kept of each model.
    private static let kept = 10

    public init(connection: MongoConnection, database: String) {
        self.connection = connection
        self.database = database
    }

    /// Begins a report on a model, by the server's clock, and removes the oldest.
    public func begin(_ model: String) async throws -> DriftReportID {
        let run = "\(DateTime.format(milliseconds: try await connection.clock()))/\(RandomUUID.text().prefix(8))"
        let report = DriftReportID(model: model, run: run)
        try await connection.insertUnlessThere(
            database, Collections.drift, id: DriftDocument.id(report), ["format": .int32(StoredFormat.current), "outcome": "running"])
        for old in try await reports(on: model).dropFirst(Self.kept) {
            if let id = old["_id"], let run = id.asDocument?["r"]?.asString {
                try await connection.remove(database, ["_id": DriftDocument.all(DriftReportID(model: model, run: run))])
            }
        }
        return report
    }

    /// Says how a run ended.
    public func end(_ report: DriftReportID, _ fields: Document) async throws { try await connection.end(database, report, fields) }

    /// The heads of a model's reports, the newest first.
    public func reports(on model: String) async throws -> [Document] {
        // A document with a number sorts behind the head of its run.
        try await connection.documents(
            database, Collections.drift,
            ["_id": ["$gt": ["m": .string(model)], "$lt": ["m": .string(model + "\0")]], "_id.n": ["$exists": false]], options: ["sort": ["_id": -1]],
            "read drift reports")
    }

    /// The head of a model's newest report, or of the newest that is older than another. The documents between them are not read.
    public func newest(on model: String, before other: DriftReportID? = nil) async throws -> (id: DriftReportID, head: Document)? {
        let end = other.map { DriftDocument.id($0) } ?? ["m": .string(model + "\0")]
        let last = try await connection.document(
            database, Collections.drift, ["_id": ["$gt": ["m": .string(model)], "$lt": end]], options: ["sort": ["_id": -1], "projection": ["_id": 1]],
            "look for a drift report")
        guard let run = last?["_id"]?.asDocument?["r"]?.asString else { return nil }
        let report = DriftReportID(model: model, run: run)
        let head = try await connection.document(database, Collections.drift, ["_id": DriftDocument.id(report)], "read a drift report")
        return (report, head ?? [:])
    }

    public func clear(_ report: DriftReportID) async throws { try await connection.remove(database, ["_id": DriftDocument.documents(report)]) }

    public func add(_ drift: [Drift], from number: Int64, to report: DriftReportID) async throws {
        let documents = drift.enumerated().map { Value.document(DriftDocument.encode($1, report, number + Int64($0))) }
        let reply = try await connection.run(
            database, BSON.encode(["insert": .string(Collections.drift), "documents": .array(documents)]), .write, "write a drift report")
        try MongoConnection.check(reply, "write a drift report")
    }

    public func drift(of report: DriftReportID, from number: Int64, most: Int) async throws -> [Drift] {
        try await connection.documents(
            database, Collections.drift, ["_id": DriftDocument.documents(report, from: number)],
            options: ["sort": ["_id": 1], "limit": .int64(Int64(most))], "read a drift report"
        ).map { try DriftDocument.decode($0) }
    }
}

extension MongoDrift: KeyTrace {
    /// Takes the document out of the reports, which name fields with their values.
    public func erase(_ key: String, of partition: PartitionID) async throws -> Int64 {
        try await connection.remove(
            database, ["id": .string(key), "s": .string(partition.stream), "p": .int32(Int32(partition.number))], "erase from drift reports")
    }
}

extension MongoConnection {
    fileprivate func end(_ database: String, _ report: DriftReportID, _ fields: Document) throws {
        let command: Document = [
            "update": .string(Collections.drift), "updates": [["q": ["_id": DriftDocument.id(report)], "u": ["$set": .document(fields)]]],
        ]
        try Self.check(try run(database, BSON.encode(command), .write, "end a drift report"), "end a drift report")
    }

    @discardableResult
    fileprivate func remove(_ database: String, _ filter: Document, _ operation: String = "remove a drift report") throws -> Int64 {
        let command: Document = ["delete": .string(Collections.drift), "deletes": [["q": .document(filter), "limit": 0]]]
        let reply = try run(database, BSON.encode(command), .write, operation)
        try Self.check(reply, operation)
        return reply["n"]?.asInteger ?? 0
    }
}

/// A drifted document of a report as it is stored.
enum DriftDocument {
    static func id(_ report: DriftReportID, _ number: Int64? = nil) -> Value {
        var id: Document = ["m": .string(report.model), "r": .string(report.run)]
        if let number { id.append("n", .int64(number)) }
        return .document(id)
    }

    /// Ids of a report's head and documents.
    static func all(_ report: DriftReportID) -> Value { ["$gte": id(report), "$lte": id(report, .max)] }

    /// Ids of a report's documents.
    static func documents(_ report: DriftReportID, from number: Int64 = 0) -> Value { ["$gte": id(report, number), "$lte": id(report, .max)] }

    static func encode(_ drift: Drift, _ report: DriftReportID, _ number: Int64) -> Document {
        [
            "_id": id(report, number), "format": .int32(StoredFormat.current), "s": .string(drift.partition.stream),
            "p": .int32(Int32(drift.partition.number)), "id": drift.id, "kind": .string(drift.kind.rawValue),
            "truth": .string(drift.truth.rawValue),
            "fields": .array(
                drift.fields.map { field in
                    var document: Document = ["name": .string(field.name)]
                    if let found = field.found { document.append("found", short(found)) }
                    if let expected = field.expected { document.append("expected", short(expected)) }
                    return .document(document)
                }),
        ]
    }

    /// A report is no second copy of the documents.
    private static func short(_ value: Value) -> Value {
        switch value {
        case .null, .bool, .int32, .int64, .double, .decimal, .date: return value
        case .string(let text) where text.utf8.count <= mostBytes: return value
        default:
            let text = JSON.write(value)
            return .string(text.utf8.count <= mostBytes ? text : text.prefix(mostBytes / 4) + "…")
        }
    }

    private static let mostBytes = 200

    static func decode(_ stored: Document) throws(Refusal) -> Drift {
        try StoredFormat.check(stored, "a drift report")
        guard let stream = stored["s"]?.asString, let number = stored["p"]?.asInteger, let id = stored["id"],
            let kind = stored["kind"]?.asString.flatMap(Drift.Kind.init)
        else { throw Refusal(.logDamaged, "a drift report lacks a field: remove \(stored["_id"].map(JSON.write) ?? "it") from \(Collections.drift)") }
        let fields = (stored["fields"]?.asArray ?? []).compactMap(\.asDocument).map {
            Drift.Field(name: $0["name"]?.asString ?? "", found: $0["found"], expected: $0["expected"])
        }
        // Reports of earlier versions know the log alone.
        let truth = stored["truth"]?.asString.flatMap(Drift.Truth.init) ?? .log
        return Drift(partition: PartitionID(stream: stream, number: Int(number)), id: id, kind: kind, fields: fields, truth: truth)
    }
}
