import Events
import Models
import Projector
import Values

extension MongoProjectionStore: RebuildStore {
    public func make(_ build: StoredBuild) async throws { try await connection.make(database, build) }

    public func make(_ indexes: [DocumentIndex], of build: BuildID) async throws -> [String] {
        try await MongoCatalog(connection: connection, database: database).make(indexes, of: build)
    }

    public func count(of build: BuildID) async throws -> Int64 { try await connection.count(database, build.description) }

    public func documents(of build: BuildID, after key: String?, most: Int) async throws -> [(key: String, bson: [UInt8])] {
        try await connection.documents(database, build, after: key, most: most)
    }

    public func sample(of build: BuildID, _ count: Int) async throws -> [String] { try await connection.sample(database, build, count) }
}

extension MongoConnection {
    /// Bytes of documents that are held at once, and one document's more.
    private static let mostPage = ByteCount.mebibytes(16).bytes

    fileprivate func documents(_ database: String, _ build: BuildID, after key: String?, most: Int) throws -> [(key: String, bson: [UInt8])] {
        var found: [(key: String, bson: [UInt8])] = []
        var size = 0
        let filter: Document = key.map { ["_id": ["$gt": .string($0)]] } ?? Document()
        let options: Document = ["sort": ["_id": 1], "limit": .int64(Int64(most)), "batchSize": .int32(Int32(clamping: most + 1))]
        try find(database, build.description, filter, options: options, "read documents of \(build)") { bytes in
            guard let key = Self.leadingKey(bytes) else { throw BSONError(reason: "a document without a text _id") }
            found.append((key, [UInt8](bytes)))
            size += bytes.count
            return size < Self.mostPage
        }
        return found
    }

    fileprivate func sample(_ database: String, _ build: BuildID, _ count: Int) throws(MongoError) -> [String] {
        let command: Document = [
            "aggregate": .string(build.description), "pipeline": [["$sample": ["size": .int64(Int64(count))]], ["$project": ["_id": 1]]],
            "cursor": ["batchSize": .int64(Int64(count))],
        ]
        let reply = try run(database, BSON.encode(command), .read, "draw a sample of \(build)")
        return reply["cursor"]?.asDocument?["firstBatch"]?.asArray?.compactMap { $0.asDocument?["_id"]?.asString } ?? []
    }
}
