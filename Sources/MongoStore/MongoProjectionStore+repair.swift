import Events
import Models
import Projector
import Values

extension MongoProjectionStore: RepairStore {
    public func checkpoints(of partition: PartitionID) async throws -> [Checkpoint] { try await connection.checkpoints(database, partition) }

    public func letters(_ ids: [DeadLetterID]) async throws -> [DeadLetter] {
        try await connection.letters(database, ["_id": ["$in": .array(ids.map(DeadLetterDocument.id))]])
    }

    public func letters(of build: BuildID, _ partition: PartitionID, keys: [String]?, _ offsets: Range<Int64>) async throws -> [DeadLetter] {
        var filter = DeadLetterDocument.place(partition, offsets)
        filter.append("_id.b", DeadLetterDocument.build(build))
        if let keys { filter.append("key", ["$in": .array(keys.map(Value.string))]) }
        return try await connection.letters(database, filter)
    }

    public func begin(_ checkpoints: [Checkpoint]) async throws -> Bool { try await connection.begin(database, checkpoints) }

    public func commit(_ repair: Repair) async throws -> CommitReply { try await connection.finish(database, WriteCommands(repair)) }

    public func abandon() async { await connection.abortTransaction() }
}

extension MongoConnection {
    func letters(_ database: String, _ filter: Document, options: Document = Document()) throws -> [DeadLetter] {
        var letters: [DeadLetter] = []
        try find(database, Collections.deadLetters, filter, options: options, "read dead letters") { bytes in
            letters.append(try DeadLetterDocument.decode(Document(bson: bytes)))
            return true
        }
        return letters
    }

    fileprivate func begin(_ database: String, _ checkpoints: [Checkpoint]) throws(MongoError) -> Bool {
        let command: Document = [
            "update": .string(Collections.checkpoints),
            "updates": .array(
                checkpoints.map { checkpoint in
                    [
                        "q": [
                            "_id": CheckpointDocument.id(checkpoint.build, checkpoint.partition), "generation": .int64(checkpoint.generation), "frozen": .null,
                        ],
                        "u": ["$inc": ["generation": 1]],
                    ]
                }),
        ]
        try startTransaction()
        if checkpoints.isEmpty { return true }
        CrashPoint.transactionStarted.reached()
        do throws(MongoError) {
            let reply = try run(database, BSON.encode(command), .transaction, "raise the generation")
            try Self.check(reply, "raise the generation")
            if reply["n"]?.asInteger == Int64(checkpoints.count) { return true }
        } catch {
            abortTransaction()
            throw error
        }
        abortTransaction()
        return false
    }
}
