import Models
import Projector
import Values

extension MongoProjectionStore: RebuildStore {
    public func make(_ build: StoredBuild) async throws { try await connection.make(database, build) }

    public func make(_ indexes: [DocumentIndex], of build: BuildID) async throws -> [String] {
        try await MongoCatalog(connection: connection, database: database).make(indexes, of: build)
    }

    public func count(of build: BuildID) async throws -> Int64 { try await connection.count(database, build.description) }

    public func sample(of build: BuildID, _ count: Int) async throws -> [String] { try await connection.sample(database, build, count) }
}

extension MongoConnection {
    fileprivate func sample(_ database: String, _ build: BuildID, _ count: Int) throws(MongoError) -> [String] {
        let command: Document = [
            "aggregate": .string(build.description), "pipeline": [["$sample": ["size": .int64(Int64(count))]], ["$project": ["_id": 1]]],
            "cursor": ["batchSize": .int64(Int64(count))],
        ]
        let reply = try run(database, BSON.encode(command), .read, "draw a sample of \(build)")
        return reply["cursor"]?.asDocument?["firstBatch"]?.asArray?.compactMap { $0.asDocument?["_id"]?.asString } ?? []
    }
}
