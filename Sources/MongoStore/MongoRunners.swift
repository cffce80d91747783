import Events
import Projector
import Values

/// Runners by the server's clock: `{_id: {j, r}, format, joined, until}`.
public struct MongoRunners: RunnerStore {
    let connection: MongoConnection
    let database: String

    public init(connection: MongoConnection, database: String) {
        self.connection = connection
        self.database = database
    }

    public func join(_ job: String, runner: String, for duration: Duration, among partitions: [PartitionID]) async throws -> Attendance {
        try await connection.join(database, job, runner, duration, partitions)
    }

    public func leave(_ job: String, runner: String) async throws { try await connection.leave(database, job, runner) }

    fileprivate static func id(_ job: String, _ runner: String) -> Value { ["j": .string(job), "r": .string(runner)] }

    /// Everybody who works on a job.
    fileprivate static func range(_ job: String) -> Value { ["$gte": ["j": .string(job)], "$lt": ["j": .string(job + "\u{1}")]] }
}

extension MongoConnection {
    fileprivate func join(
        _ database: String, _ job: String, _ runner: String, _ duration: Duration, _ partitions: [PartitionID]
    ) throws -> Attendance {
        let presence: Document = [
            "format": .int32(StoredFormat.current), "joined": ["$ifNull": ["$joined", "$$NOW"]], "until": ["$add": ["$$NOW", .int64(duration.milliseconds)]],
        ]
        let command: Document = [
            "update": .string(Collections.runners),
            "updates": [["q": ["_id": MongoRunners.id(job, runner)], "u": [["$set": .document(presence)]], "upsert": true]],
        ]
        try Self.check(try run(database, BSON.encode(command), .write, "say that a runner is there"), "say that a runner is there")
        let present = try documents(
            database, Collections.runners, ["_id": MongoRunners.range(job), "$expr": ["$gt": ["$until", "$$NOW"]]],
            options: ["sort": ["joined": 1, "_id": 1]], "read who is there")
        let held = try documents(
            database, Collections.leases,
            ["_id": ["$in": .array(partitions.map(\.value))], "$expr": ["$gt": ["$until", "$$NOW"]], "holder": ["$ne": .string(runner)]],
            options: ["projection": ["_id": 1]], "read the leases")
        let taken = held.compactMap { $0["_id"]?.asDocument }.compactMap { id in
            partitions.first { $0.stream == id["s"]?.asString && Int64($0.number) == id["p"]?.asInteger }
        }
        return Attendance(runners: present.compactMap { $0["_id"]?.asDocument?["r"]?.asString }, taken: Set(taken))
    }

    fileprivate func leave(_ database: String, _ job: String, _ runner: String) throws {
        // With those who died long ago, for whom nobody else says it.
        let command: Document = [
            "delete": .string(Collections.runners),
            "deletes": [
                ["q": ["_id": MongoRunners.id(job, runner)], "limit": 1],
                ["q": ["$expr": ["$lt": ["$until", ["$subtract": ["$$NOW", .int64(86_400_000)]]]]], "limit": 0],
            ],
        ]
        try Self.check(try run(database, BSON.encode(command), .write, "say that a runner is gone"), "say that a runner is gone")
    }
}
