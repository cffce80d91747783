import Events
import Foundation
import MongoStore
import Values

/// A real mongod that carries out updates, in a database of its own.
struct Judge {
    enum Verdict {
        case accepted(Document)
        case refused(String)
    }

    private let connection: MongoConnection
    private let database = "differential_\(UUID().uuidString.prefix(8).lowercased())"

    struct NoServers: Error, CustomStringConvertible {
        var description: String { "MILLRACE_MONGODB_URL is not set: run scripts/test" }
    }

    init() throws {
        guard let url = ProcessInfo.processInfo.environment["MILLRACE_MONGODB_URL"], !url.isEmpty else { throw NoServers() }
        connection = try MongoConnection(url: url, name: "judge")
    }

    /// What becomes of each pair's document, without its `_id`.
    func verdicts(_ pairs: [Pair]) async throws -> [Verdict] {
        var verdicts: [Verdict] = []
        for start in stride(from: 0, to: pairs.count, by: 1000) {
            verdicts += try await batch(pairs, start..<min(start + 1000, pairs.count))
        }
        return verdicts
    }

    func close() async throws { try await connection.command(database, ["dropDatabase": 1]) }

    private func batch(_ pairs: [Pair], _ numbers: Range<Int>) async throws -> [Verdict] {
        let documents = numbers.compactMap { number in
            pairs[number].before.map { Value.document(Document([Document.Field("_id", Self.id(number))] + $0.fields)) }
        }
        let inserted = try await connection.command(database, ["insert": "documents", "documents": .array(documents)])
        guard inserted["n"]?.asInteger == Int64(documents.count) else { throw Refusal(.badInput, "not all inserted: \(inserted)") }
        let updates = numbers.map { number -> Value in
            var update: Document = ["q": ["_id": Self.id(number)], "u": .document(pairs[number].update), "upsert": true]
            if !pairs[number].filters.isEmpty { update.append("arrayFilters", .array(pairs[number].filters)) }
            return .document(update)
        }
        let reply = try await connection.command(database, ["update": "documents", "updates": .array(updates), "ordered": false])
        var refused: [Int: String] = [:]
        for error in reply["writeErrors"]?.asArray ?? [] {
            guard let index = error.asDocument?["index"]?.asInteger else { throw Refusal(.badInput, "an error of no update: \(error)") }
            refused[numbers.lowerBound + Int(index)] = error.asDocument?["errmsg"]?.asString ?? ""
        }
        let range: Value = ["_id": ["$gte": Self.id(numbers.lowerBound), "$lt": Self.id(numbers.upperBound)]]
        let found = try await connection.command(database, ["find": "documents", "filter": range, "batchSize": 10_000, "singleBatch": true])
        var after = [Document?](repeating: nil, count: numbers.count)
        for document in found["cursor"]?.asDocument?["firstBatch"]?.asArray?.compactMap(\.asDocument) ?? [] {
            guard let number = document["_id"]?.asInteger else { throw Refusal(.badInput, "a document of no pair: \(document)") }
            after[Int(number) - numbers.lowerBound] = Document(document.fields.filter { $0.name != "_id" })
        }
        return try numbers.map { number in
            if let reason = refused[number] { return .refused(reason) }
            guard let document = after[number - numbers.lowerBound] else { throw Refusal(.badInput, "document \(number) is gone") }
            return .accepted(document)
        }
    }

    private static func id(_ number: Int) -> Value { .int32(Int32(number)) }
}
