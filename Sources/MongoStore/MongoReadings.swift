import Events
import Models
import Projector
import Values

/// What is stored, for status and receipts: majority reads, no writes.
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

    /// Dead letters of some builds, and of elements that are no events, without those that were dropped.
    public func deadLetters(of builds: [BuildID]) async throws -> Int64 {
        try await connection.count(
            database, Collections.deadLetters,
            ["_id.b": ["$in": .array([.null] + builds.map(DeadLetterDocument.build))], "decision": ["$ne": "dropped"]])
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

    func logged(_ database: String, at offset: Int64, of partition: PartitionID) throws -> Int64? {
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

    func count(_ database: String, _ collection: String, _ query: Document = Document()) throws -> Int64 {
        let command: Document = ["count": .string(collection)]
        // Without a query the answer is at hand, and needs no reading.
        let whole = query.isEmpty ? command : Document(command.fields + [Document.Field("query", .document(query))])
        return try run(database, BSON.encode(whole), .plain, "count documents")["n"]?.asInteger ?? 0
    }
}
