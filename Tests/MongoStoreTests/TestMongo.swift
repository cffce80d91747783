import Events
import Foundation
import Values

@testable import MongoStore

/// The shared replica set with a database of one test, which is dropped behind it.
struct TestMongo: Sendable {
    let url: String
    let database: String
    /// Somebody who is not Millrace, and writes what he likes.
    let outsider: MongoConnection

    struct NoServers: Error, CustomStringConvertible {
        var description: String { "MILLRACE_MONGODB_URL is not set: run scripts/test" }
    }

    static func url() throws -> String {
        guard let url = ProcessInfo.processInfo.environment["MILLRACE_MONGODB_URL"], !url.isEmpty else { throw NoServers() }
        return url
    }

    /// Of all tests: libmongoc takes half a second to let go of a pool.
    private static let pool = Result { try MongoPool(url: url(), connections: 100) }

    static func run(_ body: (TestMongo) async throws -> Void) async throws {
        let (url, pool) = (try url(), try pool.get())
        let database = "store_\(UUID().uuidString.prefix(8).lowercased())"
        let mongo = TestMongo(url: url, database: database, outsider: try MongoConnection(pool: pool, name: "outsider"))
        do {
            try await body(mongo)
        } catch {
            _ = try? await mongo.command(["dropDatabase": 1])
            throw error
        }
        try await mongo.command(["dropDatabase": 1])
    }

    /// A connection of a worker.
    ///
    /// - Parameter application: what the server knows its client by, so that a fail point meets it alone.
    func connection(application: String? = nil) throws -> MongoConnection {
        guard let application else { return try MongoConnection(pool: Self.pool.get(), name: "test") }
        return try MongoConnection(url: "\(url)&appName=\(application)", name: "test")
    }

    /// A log with the indexes that its safety rests on.
    func log() async throws -> MongoLog {
        let connection = try connection()
        try await connection.command(database, MongoLog.createIndexes)
        return MongoLog(connection: connection, database: database)
    }

    func store(application: String? = nil) throws -> MongoProjectionStore {
        MongoProjectionStore(connection: try connection(application: application), database: database)
    }

    @discardableResult
    func command(_ command: Document) async throws -> Document { try await outsider.command(database, command) }

    /// The stored documents, by a majority.
    func documents(_ collection: String, _ filter: Document = Document(), sort: Document = ["_id": 1]) async throws -> [Document] {
        let reply = try await command([
            "find": .string(collection), "filter": .document(filter), "sort": .document(sort), "batchSize": 10_000, "readConcern": ["level": "majority"],
        ])
        return reply["cursor"]?.asDocument?["firstBatch"]?.asArray?.compactMap(\.asDocument) ?? []
    }

    /// Changes stored documents behind Millrace's back.
    func change(_ collection: String, _ filter: Document, _ change: Value, upsert: Bool = false) async throws {
        let update: Document = ["q": .document(filter), "u": change, "upsert": .bool(upsert)]
        let reply = try await command([
            "update": .string(collection), "updates": [.document(update)], "writeConcern": ["w": "majority"],
        ])
        guard reply["n"]?.asInteger == 1 else { throw Refusal(.badInput, "nothing was changed: \(reply)") }
    }

    func remove(_ collection: String, _ filter: Document) async throws {
        let reply = try await command([
            "delete": .string(collection), "deletes": [["q": .document(filter), "limit": 1]], "writeConcern": ["w": "majority"],
        ])
        guard reply["n"]?.asInteger == 1 else { throw Refusal(.badInput, "nothing was removed: \(reply)") }
    }
}

/// Waits until something is so, and gives up after `limit`.
func eventually<Answer>(within limit: Duration = .seconds(120), _ what: String, _ probe: () async throws -> Answer?) async throws -> Answer {
    let deadline = ContinuousClock.now + limit
    while true {
        if let answer = try await probe() { return answer }
        guard ContinuousClock.now < deadline else { throw Refusal(.noProgress, "not within \(limit): \(what)") }
        try await Task.sleep(for: .milliseconds(10))
    }
}
