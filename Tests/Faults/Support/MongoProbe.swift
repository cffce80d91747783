import Foundation
import MongoStore
import Synchronization
import Values

/// A second connection to MongoDB, by which a test looks at what is stored and changes it by hand.
struct MongoProbe: Sendable {
    private let connection: MongoConnection
    let database: String

    /// One for each URL, kept to the end: libmongoc takes half a second to give one up.
    private static let connections = Mutex<[String: MongoConnection]>([:])

    init(url: String, database: String) throws {
        connection = try Self.connections.withLock { connections in
            if let known = connections[url] { return known }
            let made = try MongoConnection(url: url, name: "probe")
            connections[url] = made
            return made
        }
        self.database = database
    }

    @discardableResult
    func command(_ command: Document, in database: String? = nil) async throws -> Document {
        try await connection.command(database ?? self.database, command)
    }

    /// The first documents found: majority reads, as Millrace's own.
    func find(_ collection: String, _ filter: Document = [:], sort: Document = ["_id": 1], fields: Document = [:], limit: Int32 = 100) async throws
        -> [Document]
    {
        let reply = try await command([
            "find": .string(collection), "filter": .document(filter), "sort": .document(sort), "projection": .document(fields), "limit": .int32(limit),
            "batchSize": .int32(limit), "readConcern": ["level": "majority"],
        ])
        return reply["cursor"]?.asDocument?["firstBatch"]?.asArray?.compactMap(\.asDocument) ?? []
    }

    /// Changes one document by hand, which must be there.
    func update(_ collection: String, _ filter: Document, _ change: Document) async throws {
        let reply = try await command([
            "update": .string(collection), "updates": [["q": .document(filter), "u": .document(change)]], "writeConcern": ["w": "majority"],
        ])
        guard reply["nModified"]?.asInteger == 1 else { throw Failure("nothing was changed in \(collection): \(reply)") }
    }

    /// Counted one by one: `count` gives a number that also counts what a transaction under way has written.
    func count(_ collection: String) async throws -> Int { try await find(collection, fields: ["_id": 1], limit: 10_000).count }

    // MARK: What Millrace stores

    /// The log's next offset.
    func tail(_ stream: String, _ partition: Int = 0) async throws -> Int {
        let last = try await find(
            "millrace.log", ["_id.s": .string(stream), "_id.p": .int32(Int32(partition))], sort: ["_id": -1], fields: ["n": 1], limit: 1
        ).first
        return Int((last?["_id"]?.asDocument?["o"]?.asInteger ?? 0) + (last?["n"]?.asInteger ?? 0))
    }

    /// The offsets that the stream's checkpoints have reached.
    func checkpoints(_ stream: String) async throws -> [Int] {
        try await find("millrace.checkpoints", ["_id.s": .string(stream)]).compactMap { $0["offset"]?.asInteger.map { Int($0) } }
    }

    /// The process that holds, or last held, the lease of a partition.
    func holder(_ stream: String, _ partition: Int = 0) async throws -> pid_t? {
        let lease = try await find("millrace.leases", ["_id": ["s": .string(stream), "p": .int32(Int32(partition))]]).first
        let parts = lease?["holder"]?.asString?.split(separator: "/") ?? []
        return parts.count == 3 ? pid_t(parts[1]) : nil
    }
}
