import Events
import Models
import Projector
import Values

/// What is stored, for status and receipts: majority reads, no writes but the receipts themselves.
public struct MongoReadings: Sendable {
    let connection: MongoConnection
    let database: String

    public init(connection: MongoConnection, database: String) {
        self.connection = connection
        self.database = database
    }

    /// The log's totals and every checkpoint of a partition.
    public func reading(of partition: PartitionID) async throws -> PartitionReading { try await connection.reading(database, partition) }

    /// The checkpoints of a partition.
    public func checkpoints(of partition: PartitionID) async throws -> [Checkpoint] { try await connection.checkpoints(database, partition) }

    /// The log's end.
    public func tail(of partition: PartitionID) async throws -> LogTail { try await connection.tail(database, partition) }

    /// When the element at an offset was logged: milliseconds since 1970.
    public func logged(at offset: Int64, of partition: PartitionID) async throws -> Int64? {
        try await connection.logged(database, at: offset, of: partition)
    }

    /// About how many documents a build holds.
    public func documents(of build: BuildID) async throws -> Int64 { try await connection.count(database, build.description) }

    /// How many of them are orphans.
    public func orphans(of build: BuildID) async throws -> Int64 {
        try await connection.count(database, build.description, [StoredDocument.orphanField: true])
    }

    /// Dead letters of every model, without those that were dropped.
    public func deadLetters() async throws -> Int64 {
        try await connection.count(database, Collections.deadLetters) - connection.count(database, Collections.deadLetters, ["decision": "dropped"])
    }

    /// What a build has met in a partition of types that its model does not name.
    public func unknownTypes(of build: BuildID, _ partition: PartitionID) async throws -> [UnknownType] {
        try await connection.unknownTypes(database, build, partition)
    }

    /// The first offset of a partition that was logged at this time or later: milliseconds since 1970.
    public func offset(at time: Int64, of partition: PartitionID) async throws -> Int64 {
        try await connection.offset(database, at: time, of: partition)
    }

    /// One stored document, or nil.
    public func document(of build: BuildID, key: String) async throws -> Document? {
        try await connection.document(database, build.description, ["_id": .string(key)], "get a document")
    }

    /// Where the last receipt of a partition ended.
    public func lastReceipt(of partition: PartitionID) async throws -> LastReceipt {
        try await connection.lastReceipt(database, partition)
    }

    /// Each receipt of a partition has the number after the one it continues, so that two cannot continue the same.
    static let createIndexes: Document = [
        "createIndexes": .string(Collections.runs),
        "indexes": [
            [
                "key": ["partitions.s": 1, "partitions.p": 1, "partitions.n": 1], "name": "number", "unique": true,
                // Receipts from before they had numbers.
                "partialFilterExpression": ["partitions.n": ["$exists": true]],
            ]
        ],
    ]

    /// Stores a receipt with the readings it ended at.
    public func record(_ run: RunRecord) async throws { try await connection.record(database, run) }
}

/// The record of one run of a job, or of one stretch of a continuous one.
public struct RunRecord: Sendable {
    public var id: String
    public var job: String
    public var owner: String
    public var lasted: Duration
    public var receipt: Receipt
    public var readings: [PartitionID: PartitionReading]
    /// The receipts that this one continues; nil where it stands by itself.
    public var last: [PartitionID: LastReceipt]?

    public init(
        id: String, job: String, owner: String, lasted: Duration, receipt: Receipt, readings: [PartitionID: PartitionReading],
        last: [PartitionID: LastReceipt]? = nil
    ) {
        self.id = id
        self.job = job
        self.owner = owner
        self.lasted = lasted
        self.receipt = receipt
        self.readings = readings
        self.last = last
    }
}

extension MongoConnection {
    func checkpoints(_ database: String, _ partition: PartitionID) throws -> [Checkpoint] {
        try documents(
            database, Collections.checkpoints, ["_id.s": .string(partition.stream), "_id.p": .int32(Int32(partition.number))], "read checkpoints"
        ).map { try CheckpointDocument.decode($0) }
    }

    fileprivate func reading(_ database: String, _ partition: PartitionID) throws -> PartitionReading {
        // Checkpoints first: what they count is in the log that is read after them, so that nothing is behind by less than 0.
        let checkpoints = try checkpoints(database, partition)
        let tail = try tail(database, partition)
        let stopped = checkpoints.compactMap(\.stopped)
        return PartitionReading(
            log: tail.totals, builds: Dictionary(checkpoints.map { ($0.build, $0.totals) }, uniquingKeysWith: { $1 }),
            stopped: Dictionary(stopped.map { ($0.build, $0) }, uniquingKeysWith: { $1 }))
    }

    fileprivate func logged(_ database: String, at offset: Int64, of partition: PartitionID) throws -> Int64? {
        try document(
            database, Collections.log, ["_id": partition.range(below: offset + 1)], options: ["sort": ["_id": -1], "projection": ["at": 1]],
            "read a time of logging"
        )?["at"]?.asDate
    }

    /// Times of logging never go back along a partition, so that halving finds the place.
    fileprivate func offset(_ database: String, at time: Int64, of partition: PartitionID) throws -> Int64 {
        var (low, high) = (Int64(0), try tail(database, partition).offset)
        while low < high {
            let middle = low + (high - low) / 2
            let chunk = try document(
                database, Collections.log, ["_id": partition.range(below: middle + 1)],
                options: ["sort": ["_id": -1], "projection": ["_id": 1, "n": 1, "at": 1]], "find a time in the log"
            )
            guard let chunk, let start = chunk["_id"]?.asDocument?["o"]?.asInteger, let count = chunk["n"]?.asInteger, let at = chunk["at"]?.asDate
            else { return low }
            if at < time { low = max(start + count, middle + 1) } else { high = min(start, middle) }
        }
        return low
    }

    fileprivate func count(_ database: String, _ collection: String, _ query: Document = Document()) throws -> Int64 {
        let command: Document = ["count": .string(collection)]
        // Without a query the answer is at hand, and needs no reading.
        let whole = query.isEmpty ? command : Document(command.fields + [Document.Field("query", .document(query))])
        return try run(database, BSON.encode(whole), .plain, "count documents")["n"]?.asInteger ?? 0
    }

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
            if Self.writeErrorCode(reply) == 11000, record.last == nil, attempts > 0 { continue }
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
        return [
            "_id": .string(record.id), "format": .int32(StoredFormat.current), "job": .string(record.job), "owner": .string(record.owner),
            "started": .date(ended - Int64(record.lasted / .milliseconds(1))), "ended": .date(ended), "receipt": .document(record.receipt.document),
            "partitions": .array(partitions),
        ]
    }
}
