import Events
import Glibc
import Models
import Projector
import Values

/// Documents and checkpoints, written in transactions through one session.
public struct MongoProjectionStore: ProjectionStore {
    let connection: MongoConnection
    let database: String

    public init(connection: MongoConnection, database: String) {
        self.connection = connection
        self.database = database
    }

    public func sessionId() async throws -> [UInt8] { try await connection.sessionId() }

    public func reset() async { await connection.dropSession() }

    public func checkpoint(of build: BuildID, _ partition: PartitionID) async throws -> Checkpoint? {
        try await connection.checkpoint(database, build, partition)
    }

    public func pointer(to model: String) async throws -> ModelPointer? { try await connection.pointer(database, to: model) }

    public func thaw(_ checkpoint: Checkpoint) async throws -> Bool { try await connection.thaw(database, checkpoint) }

    public func decisions(on build: BuildID, _ partition: PartitionID, from offset: Int64, keys: [String]?) async throws -> [Int64: Decision] {
        try await connection.decisions(database, build, partition, from: offset, keys: keys)
    }

    public func keysWithLetters(in build: BuildID, _ partition: PartitionID, below offset: Int64, among keys: [String]) async throws -> Set<ExactString> {
        try await connection.keysWithLetters(database, build, partition, below: offset, among: keys)
    }

    public func unknownTypes(of build: BuildID, _ partition: PartitionID) async throws -> [UnknownType] {
        try await connection.unknownTypes(database, build, partition)
    }

    public func logEnd(of partition: PartitionID) async throws -> Int64 { try await connection.tail(database, partition).offset }

    public func documents(of build: BuildID, keys: [String]) async throws -> [(key: String, bson: [UInt8])] {
        try await connection.documents(database, build, keys)
    }

    public func loaded(_ build: BuildID, _ partition: PartitionID, _ keys: [ExactString]) async throws -> [SnapshotRow] {
        try await MongoSnapshots(connection: connection, database: database).loaded(build, partition, keys)
    }

    public func expired(in build: BuildID, _ partition: PartitionID, by time: Int64, most: Int) async throws -> [String] {
        try await connection.expired(database, build, partition, by: time, most: most)
    }

    public func commit(_ commit: Commit) async throws -> CommitReply {
        // Built on the caller's thread, so that the connection's own only waits.
        try await connection.commit(database, WriteCommands(commit))
    }

    public func note(_ complete: [ListCompleteness], in checkpoint: Checkpoint) async throws -> CommitReply {
        try await connection.note(database, complete, checkpoint)
    }
}

extension MongoConnection {
    /// How long an unknown commit outcome is asked about again before the session is given up. An election takes about
    /// ten seconds by default.
    private static let settleLimit = Duration.seconds(60)

    fileprivate func checkpoint(_ database: String, _ build: BuildID, _ partition: PartitionID) throws -> Checkpoint? {
        let id = CheckpointDocument.id(build, partition)
        for _ in 0..<Self.makingAttempts {
            if let stored = try document(database, Collections.checkpoints, ["_id": id], "read a checkpoint") { return try CheckpointDocument.decode(stored) }
            guard let pointer = try pointer(database, to: build.model) else {
                // Nobody else knows the build: it is not Millrace's to remove.
                try insertUnlessThere(database, Collections.checkpoints, id: id, CheckpointDocument.initial(Checkpoint(build: build, partition: partition)))
                continue
            }
            guard let kept = pointer.build(build), kept.state != .dropping else { return nil }
            try makeCheckpoint(database, build, partition, pointer)
        }
        throw MongoError(code: 0, operation: "make a checkpoint", message: "the pointer document of \(build.model) changes all the time")
    }

    private static let makingAttempts = 10

    /// Makes a build's first checkpoint in one transaction with a write of the pointer document, which must be as it was
    /// read: so none is made of a build that somebody has begun to remove. Where that has changed, nothing happens.
    private func makeCheckpoint(_ database: String, _ build: BuildID, _ partition: PartitionID, _ pointer: ModelPointer) throws(MongoError) {
        let touch: Document = [
            "update": .string(Collections.definitions),
            "updates": [["q": .document(PointerDocument.filter(pointer)), "u": ["$set": ["revision": .int64(pointer.revision + 1)]]]],
        ]
        let first = Checkpoint(build: build, partition: partition)
        let id = Document([Document.Field("_id", CheckpointDocument.id(build, partition))])
        let insert: Document = [
            "insert": .string(Collections.checkpoints), "documents": [.document(Document(id.fields + CheckpointDocument.initial(first).fields))],
        ]
        try startTransaction()
        do throws(MongoError) {
            for command in [touch, insert] {
                let reply = try run(database, BSON.encode(command), .transaction, "make a checkpoint")
                // Two workers may make it at once; both then read the same one.
                if Self.writeErrorCode(reply) == 11000 { return abortTransaction() }
                try Self.check(reply, "make a checkpoint")
                guard reply["n"]?.asInteger == 1 else { return abortTransaction() }
            }
        } catch {
            abortTransaction()
            // Somebody else wrote the pointer document at the same time.
            if error.labels.contains("TransientTransactionError"), error.serverCode != nil { return }
            throw error
        }
        _ = try settle()
    }

    fileprivate func decisions(
        _ database: String, _ build: BuildID, _ partition: PartitionID, from offset: Int64, keys: [String]?
    ) throws -> [Int64: Decision] {
        var decisions: [Int64: Decision] = [:]
        try find(
            database, Collections.deadLetters, DeadLetterDocument.decisions(partition, from: offset, keys: keys),
            options: ["projection": ["_id": 1, "decision": 1]], "read decisions"
        ) { bytes in
            let letter = try Document(bson: bytes)
            guard let id = letter["_id"]?.asDocument, let offset = id["o"]?.asInteger else { return true }
            // An element that is no event belongs to every model.
            guard id["b"] == .null || id["b"]?.asString.flatMap(BuildID.init)?.model == build.model else { return true }
            decisions[offset] = try DeadLetterDocument.decision(letter)
            return true
        }
        return decisions
    }

    fileprivate func keysWithLetters(
        _ database: String, _ build: BuildID, _ partition: PartitionID, below offset: Int64, among keys: [String]
    ) throws -> Set<ExactString> {
        var found: Set<ExactString> = []
        try find(
            database, Collections.deadLetters, DeadLetterDocument.open(in: build, partition, below: offset, keys: keys),
            options: ["projection": ["key": 1]], "look for letters of keys"
        ) { bytes in
            if let key = try Document(bson: bytes)["key"]?.asString { found.insert(ExactString(key)) }
            return true
        }
        return found
    }

    fileprivate func documents(_ database: String, _ build: BuildID, _ keys: [String]) throws -> [(key: String, bson: [UInt8])] {
        var filter: [UInt8] = []
        filter.reserveCapacity(keys.count * 40)
        let start = BSON.openDocument(&filter)
        BSON.append("_id", ["$in": .array(keys.map(Value.string))], to: &filter)
        BSON.closeDocument(start, &filter)
        var found: [(key: String, bson: [UInt8])] = []
        found.reserveCapacity(keys.count)
        // One batch for all: a second round trip costs more than the room.
        let options: Document = ["batchSize": .int32(Int32(clamping: keys.count + 1))]
        try find(database, build.description, filter: filter, options: options, "load documents of \(build)") { bytes in
            guard let key = Self.leadingKey(bytes) else { throw BSONError(reason: "a document without a text _id") }
            found.append((key, [UInt8](bytes)))
            return true
        }
        return found
    }

    fileprivate func expired(_ database: String, _ build: BuildID, _ partition: PartitionID, by time: Int64, most: Int) throws -> [String] {
        let place = "_position.p"
        let filter: Document = [place: .int32(Int32(partition.number)), StoredDocument.expiryField: ["$lte": .date(time)]]
        let options: Document = [
            "projection": ["_id": 1], "sort": [place: 1, StoredDocument.expiryField: 1], "limit": .int64(Int64(most)),
            "batchSize": .int32(Int32(clamping: most + 1)),
        ]
        return try documents(database, build.description, filter, options: options, "look for expired documents of \(build)").compactMap { $0["_id"]?.asString }
    }

    /// The `_id` of a stored document, which MongoDB puts first.
    static func leadingKey(_ bytes: UnsafeRawBufferPointer) -> String? { leadingKeyBytes(bytes).map { String(decoding: $0, as: UTF8.self) } }

    static func leadingKeyBytes(_ bytes: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
        // 0x0064695f: "_id" and its end.
        guard bytes.count > 14, bytes[4] == BSONType.string, UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 5, as: UInt32.self)) == 0x0064_695f
        else { return nil }
        let length = Int(Int32(littleEndian: bytes.loadUnaligned(fromByteOffset: 9, as: Int32.self)))
        guard length >= 1, 13 + length <= bytes.count else { return nil }
        return UnsafeRawBufferPointer(rebasing: bytes[13..<(12 + length)])
    }

    fileprivate func note(_ database: String, _ complete: [ListCompleteness], _ checkpoint: Checkpoint) throws -> CommitReply {
        let command: Document = [
            "update": .string(Collections.checkpoints),
            "updates": [
                [
                    "q": .document(CheckpointDocument.filter(checkpoint)),
                    "u": ["$set": ["complete": CheckpointDocument.complete(complete)]],
                ]
            ],
        ]
        let reply = try run(database, BSON.encode(command), .write, "note completeness")
        try Self.check(reply, "note completeness")
        return reply["n"]?.asInteger == 1 ? .committed : .conflict
    }

    fileprivate func commit(_ database: String, _ plan: WriteCommands) throws(MongoError) -> CommitReply {
        try startTransaction()
        CrashPoint.transactionStarted.reached()
        return try finish(database, plan)
    }

    /// Runs the commands in the transaction that is under way, and commits it.
    func finish(_ database: String, _ plan: WriteCommands) throws(MongoError) -> CommitReply {
        do throws(MongoError) {
            for (number, command) in plan.commands.enumerated() {
                let reply = try run(database, command.bytes, .transaction, command.operation)
                if Self.writeErrorCode(reply) == 11000 { return abandon(number == 0 ? .conflict : .mismatch) }
                try Self.check(reply, command.operation)
                guard reply["n"]?.asInteger == Int64(command.planned) else { return abandon(number == 0 ? .conflict : .mismatch) }
                command.step?.reached()
            }
        } catch {
            abortTransaction()
            throw clearIndexes(database, plan.build, after: error)
        }
        return try settle()
    }

    private func abandon(_ reply: CommitReply) -> CommitReply {
        abortTransaction()
        return reply
    }

    /// Rule 15: repeats the commit in the same session until it says that it happened, or that there is no such
    /// transaction, either without a write concern error. A read that says "not applied" would prove nothing: the commit
    /// can still land.
    func settle() throws(MongoError) -> CommitReply {
        let deadline = ContinuousClock.now + Self.settleLimit
        var pause = Backoff(first: .milliseconds(50), most: .seconds(2))
        while true {
            let (error, reply) = try commitTransaction()
            let concern = reply["writeConcernError"] != nil
            guard let error else {
                if !concern { return .committed }
                try wait(&pause, deadline, MongoError(code: 64, operation: "commit", message: "the commit is not known to have reached a majority"))
                continue
            }
            if error.serverCode == 251, !concern { throw error }
            let unknown = concern || error.serverCode == nil || error.labels.contains("UnknownTransactionCommitResult") || error.serverCode == 251
            guard unknown else { throw error }
            try wait(&pause, deadline, error)
        }
    }

    private func wait(_ pause: inout Backoff, _ deadline: ContinuousClock.Instant, _ error: MongoError) throws(MongoError) {
        guard ContinuousClock.now < deadline else {
            dropSession()
            throw error
        }
        // The connection's own thread has nothing else to do meanwhile.
        let microseconds = pause.next() / .microseconds(1)
        usleep(useconds_t(microseconds))
    }
}
