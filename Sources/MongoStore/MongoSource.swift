import Events
import Models
import Projector
import Values

/// A collection, or what a pipeline makes of it, as a source of truth.
public struct MongoSource: TruthSource {
    private let connection: MongoConnection
    private let database: String
    private let collection: SourceOfTruth.Collection

    public let mostIds: (count: Int, bytes: Int)? = nil

    /// Codes that come from elections, networks and cursors that are gone, and pass when all is read again.
    fileprivate static let passingCodes: Set<Int> = [
        6, 7, 43, 50, 63, 89, 91, 133, 134, 150, 189, 246, 262, 9001, 10107, 11600, 11601, 11602, 13435, 13436,
    ]

    /// - Parameter database: Millrace's own.
    public init(connection: MongoConnection, database: String, _ collection: SourceOfTruth.Collection) {
        self.connection = connection
        self.database = collection.database ?? database
        self.collection = collection
    }

    public func read(_ ids: [String]?, _ take: ([[UInt8]]) async throws -> Void) async throws {
        let aggregate: Document = [
            "aggregate": .string(collection.name), "pipeline": .array(collection.pipeline), "cursor": ["batchSize": .int32(Int32(SourceRow.page))],
        ]
        var page = try await connection.page(database, aggregate)
        while true {
            if !page.rows.isEmpty { try await take(page.rows) }
            guard page.cursor != 0 else { return }
            page = try await connection.page(
                database, ["getMore": .int64(page.cursor), "collection": .string(page.collection), "batchSize": .int32(Int32(SourceRow.page))])
        }
    }
}

extension MongoConnection {
    fileprivate func page(_ database: String, _ command: Document) throws -> (rows: [[UInt8]], cursor: Int64, collection: String) {
        // What follows the first is in the cursor's session, and under its read concern: it names none.
        let mode: Mode = command.fields.first?.name == "getMore" ? .transaction : .read
        let reply: Document
        do {
            reply = try run(database, BSON.encode(command), mode, "read the source of truth")
        } catch {
            // What somebody has written is more often wrong than a server that says so.
            guard let code = error.serverCode, !error.isAuthentication, !MongoSource.passingCodes.contains(code) else { throw error }
            throw Refusal(.badInput, "the source of truth, read by MongoDB: \(error.message) (code \(code))")
        }
        let cursor = reply["cursor"]?.asDocument
        let rows = (cursor?["firstBatch"] ?? cursor?["nextBatch"])?.asArray ?? []
        // Where it is a view, the cursor is of another collection.
        let name = cursor?["ns"]?.asString.map { String($0.dropFirst(database.utf8.count + 1)) } ?? ""
        return (rows.map { Array(JSON.write($0).utf8) }, cursor?["id"]?.asInteger ?? 0, name)
    }
}
