import Events
import Models
import Projector
import Values

/// The receipts: what became of every run, newest first, for as long as they are kept.
public struct MongoRuns: RunStore {
    let connection: MongoConnection
    let database: String

    public init(connection: MongoConnection, database: String) {
        self.connection = connection
        self.database = database
    }

    /// Where the last receipt of a partition ended.
    public func lastReceipt(of partition: PartitionID) async throws -> LastReceipt {
        try await connection.lastReceipt(database, partition)
    }

    /// Stores a run. Of a drain that continues receipts which another one has continued meanwhile, it is refused.
    public func record(_ run: RunRecord) async throws { try await connection.record(database, run) }

    /// What became of a run; nil where it has no receipt.
    public func verdict(of run: String) async throws -> RunOutcome.Verdict? { try await self.run(run)?.outcome.verdict }

    /// One run, or nil.
    public func run(_ id: String) async throws -> PastRun? {
        try await connection.document(database, Collections.runs, ["_id": .string(id)], "read a run").map(RunDocument.decode)
    }

    /// Runs, the newest first.
    ///
    /// - Parameter last: only what comes after this one.
    public func page(_ filter: RunFilter, after last: PastRun? = nil, limit: Int) async throws -> [PastRun] {
        try await connection.documents(
            database, Collections.runs, RunDocument.filter(filter, after: last),
            options: ["sort": RunDocument.newestFirst, "limit": .int64(Int64(limit)), "projection": ["partitions": 0]], "read runs"
        ).map(RunDocument.decode)
    }

    /// Removes the runs that ended longer ago, but for the last of each partition, where the next one begins. Returns how many.
    public func prune(keeping keep: Duration) async throws -> Int64 { try await connection.pruneRuns(database, keep) }

    static let createIndexes: Document = [
        "createIndexes": .string(Collections.runs),
        "indexes": [
            [
                // Each receipt of a partition has the number after the one it continues, so that two cannot continue the same.
                "key": ["partitions.s": 1, "partitions.p": 1, "partitions.n": 1], "name": "number", "unique": true,
                // Receipts from before they had numbers.
                "partialFilterExpression": ["partitions.n": ["$exists": true]],
            ],
            // Lists, the last receipt of a partition, and what is old are all found by it.
            ["key": ["ended": 1, "_id": 1], "name": "ended"],
        ],
    ]
}

extension MongoConnection {
    private func lastRun(_ database: String, _ partition: PartitionID) throws -> (run: Document, part: Document)? {
        let last = try document(
            database, Collections.runs, ["partitions": ["$elemMatch": ["s": .string(partition.stream), "p": .int32(Int32(partition.number))]]],
            options: ["sort": ["ended": -1]], "read the last receipt"
        )
        let part = last?["partitions"]?.asArray?.lazy.compactMap(\.asDocument)
            .first { $0["s"]?.asString == partition.stream && $0["p"]?.asInteger == Int64(partition.number) }
        guard let last, let part else { return nil }
        return (last, part)
    }

    fileprivate func lastReceipt(_ database: String, _ partition: PartitionID) throws -> LastReceipt {
        guard let part = try lastRun(database, partition)?.part, let log = part["log"]?.asDocument else { return LastReceipt() }
        var reading = PartitionReading()
        reading.log = LogTotals(
            received: log["received"]?.asInteger ?? 0, duplicates: log["duplicates"]?.asInteger ?? 0, undecodable: log["undecodable"]?.asInteger ?? 0
        )
        for build in part["builds"]?.asArray?.compactMap(\.asDocument) ?? [] {
            guard let id = build["build"]?.asString.flatMap(BuildID.init), let totals = build["totals"]?.asDocument else { continue }
            reading.builds[id] = CheckpointDocument.totals(totals)
        }
        return LastReceipt(reading: reading, number: part["n"]?.asInteger ?? 0)
    }

    fileprivate func record(_ database: String, _ record: RunRecord) throws {
        var attempts = Self.recordAttempts
        while true {
            attempts -= 1
            let reply = try run(
                database, BSON.encode(["insert": .string(Collections.runs), "documents": [.document(try document(of: record, database))]]), .write,
                "write a receipt")
            // Another receipt took the number: one that stands by itself takes the next.
            if Self.writeErrorCode(reply) == 11000, !record.readings.isEmpty, record.last == nil, attempts > 0 { continue }
            return try Self.check(reply, "write a receipt")
        }
    }

    private static let recordAttempts = 5

    private func document(of record: RunRecord, _ database: String) throws -> Document {
        // By the server's clock, and behind every receipt that this one follows: the last one is found by its end.
        var ended = try clock()
        var partitions: [Value] = []
        for (partition, reading) in record.readings.sorted(by: { $0.key < $1.key }) {
            let last = try lastRun(database, partition)
            ended = max(ended, (last?.run["ended"]?.asDate ?? 0) + 1)
            let number = record.last?[partition]?.number ?? last?.part["n"]?.asInteger ?? 0
            let builds = reading.builds.map { build, totals -> Value in
                ["build": .string(build.description), "totals": CheckpointDocument.totals(totals)]
            }
            partitions.append([
                "s": .string(partition.stream), "p": .int32(Int32(partition.number)), "n": .int64(number + 1),
                "log": [
                    "received": .int64(reading.log.received), "duplicates": .int64(reading.log.duplicates),
                    "undecodable": .int64(reading.log.undecodable),
                ],
                "builds": .array(builds),
            ])
        }
        return RunDocument.encode(record, ended: ended, partitions: partitions)
    }

    fileprivate func pruneRuns(_ database: String, _ keep: Duration) throws -> Int64 {
        let before = Value.date(try clock() - keep.milliseconds)
        // A partition that has come to rest has its last receipt among the old ones. What is written from here on is young.
        var last: [Value] = []
        let streams = try documents(database, Collections.meta, ["_id": ["$regex": "^stream:"]], "read the streams")
        for stream in streams {
            let name = String((stream["_id"]?.asString ?? "").dropFirst("stream:".count))
            for number in 0..<Int(stream["partitions"]?.asInteger ?? 0) {
                if let id = try lastRun(database, PartitionID(stream: name, number: number))?.run["_id"] { last.append(id) }
            }
        }
        let query: Document = ["ended": ["$lt": before], "_id": ["$nin": .array(last)]]
        let reply = try run(
            database, BSON.encode(["delete": .string(Collections.runs), "deletes": [["q": .document(query), "limit": 0]]]), .write, "remove old runs")
        try Self.check(reply, "remove old runs")
        return reply["n"]?.asInteger ?? 0
    }
}
