import CMongoShim
import Events
import Models
import Projector
import Reads
import Values

/// Reads for the read API, at the server that is asked for.
public struct MongoReads: ReadConnection {
    let connection: MongoConnection
    let database: String

    public init(connection: MongoConnection, database: String) {
        self.connection = connection
        self.database = database
    }

    public var executor: (any TaskExecutor)? { connection.executor }

    public func servers(for place: ReadPlace) async -> [ReadServer] { await connection.findReadServers(needsPrimary: place == .primary) }

    public func view(of partitions: [PartitionID], _ attempt: ReadAttempt) async throws -> ServerView {
        try await connection.view(database, partitions, attempt)
    }

    public func documents(of build: BuildID, ids: [String], names: [String]?, _ attempt: ReadAttempt) async throws -> ReadDocuments {
        var find: Document = [
            "find": .string(build.description), "filter": ["_id": ["$in": .array(ids.map(Value.string))]], "batchSize": .int32(Int32(ids.count + 1)),
            "singleBatch": true,
        ]
        if let names { find.append("projection", Self.projection(names)) }
        return try await connection.read(database, find, attempt, "look up documents")
    }

    /// Chunks of the log that are read for their keys at once.
    private static let mostChunks = 16

    public func changedKeys(of partition: PartitionID, _ offsets: Range<Int64>, _ attempt: ReadAttempt) async throws -> [String]? {
        // Backwards, to the chunk that the first offset is in.
        let chunks = try await connection.read(
            database,
            [
                "find": .string(Collections.log), "filter": ["_id": partition.range(below: offsets.upperBound)], "sort": ["_id": -1],
                "limit": .int32(Int32(Self.mostChunks)), "singleBatch": true, "projection": ["_id": 1, "keys": 1],
            ], attempt, "read keys of the log")
        var keys: [String] = []
        for chunk in chunks.documents {
            keys += try chunk.value("keys")?.asArray?.compactMap(\.asString) ?? []
            if let offset = try chunk.value("_id")?.asDocument?["o"]?.asInteger, offset <= offsets.lowerBound { return keys }
        }
        return nil
    }

    public func page(of build: BuildID, _ page: PageRequest, _ attempt: ReadAttempt) async throws -> ReadDocuments {
        var find: Document = [
            "find": .string(build.description), "filter": .document(page.filter), "sort": .document(page.sort), "limit": .int32(Int32(page.count)),
            "batchSize": .int32(Int32(page.count)), "singleBatch": true,
        ]
        find.append("hint", .document(Document(page.index.fields.map { Document.Field($0.path, .int32($0.direction)) })))
        if let (min, max) = page.bounds {
            find.append("min", .document(min))
            find.append("max", .document(max))
        }
        if let names = page.names { find.append("projection", Self.projection(names + page.index.fields.map(\.path))) }
        do {
            return try await connection.read(database, find, attempt, "read a page")
        } catch let error as MongoError where error.serverCode == MongoConnection.expired {
            // It had all the time that there was: the page is too much, and the server is well.
            throw ReadFailure.late
        }
    }

    /// Whole top-level fields, so that no two paths of it conflict.
    private static func projection(_ names: [String]) -> Value {
        var fields: Document = ["_id": 1]
        for name in ["_position", StoredDocument.expiryField, StoredDocument.orphanField] + names {
            let top = String(name.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)[0])
            if fields[top] == nil { fields.append(top, 1) }
        }
        return .document(fields)
    }
}

extension MongoConnection {
    @discardableResult
    fileprivate func findReadServers(needsPrimary: Bool) -> [ReadServer] {
        // A replica set has no more members.
        var servers = [mongo_shim_server](repeating: mongo_shim_server(), count: 50)
        let count = mongo_shim_servers(client, needsPrimary ? 1 : 0, &servers, servers.count)
        return servers.prefix(count).map { server in
            var server = server
            let name = String(cString: mongo_shim_server_name(&server))
            readServers[name] = server.id
            return ReadServer(name: name, isPrimary: server.is_primary != 0, lastWrite: server.last_write)
        }
    }

    /// Checkpoints before builds: what is live then is at least so far.
    fileprivate func view(_ database: String, _ partitions: [PartitionID], _ attempt: ReadAttempt) throws -> ServerView {
        let taken = ContinuousClock.now
        let checkpoints = try read(
            database, ["find": .string(Collections.checkpoints), "batchSize": 100_000, "singleBatch": true], attempt, "read checkpoints")
        var ends: [PartitionID: Int64] = [:]
        for partition in partitions {
            let find: Document = [
                "find": .string(Collections.log), "filter": ["_id": partition.range()], "sort": ["_id": -1], "limit": 1, "singleBatch": true,
                "projection": ["_id": 1, "n": 1],
            ]
            if let chunk = try read(database, find, attempt, "read the log's end").documents.first {
                ends[partition] = (try chunk.value("_id")?.asDocument?["o"]?.asInteger ?? 0) + (try chunk.value("n")?.asInteger ?? 0)
            }
        }
        let pointers = try read(
            database,
            [
                "find": .string(Collections.definitions), "projection": ["revision": 1, "live": 1, "format": 1], "batchSize": 100_000, "singleBatch": true,
            ], attempt, "read definitions")
        var (live, revision): ([String: BuildID], Int64) = ([:], 0)
        for pointer in pointers.documents {
            guard let model = try pointer.value("_id")?.asString, let build = try pointer.value("live")?.asString.flatMap(BuildID.init) else { continue }
            live[model] = build
            revision += try pointer.value("revision")?.asInteger ?? 0
        }
        let hello = try Document(raw: try answer(["hello": 1], attempt, "read the clock", in: "admin"))
        let clock = hello["localTime"]?.asDate ?? 0
        return ServerView(
            live: live, revision: revision,
            checkpoints: try checkpoints.documents.map { raw in
                try CheckpointDocument.decode(Document(raw: raw))
            }, ends: ends, clock: clock, operationTime: pointers.operationTime, taken: taken)
    }

    /// What a majority has, at one server.
    fileprivate func read(_ database: String, _ find: Document, _ attempt: ReadAttempt, _ operation: String) throws -> ReadDocuments {
        var concern: Document = ["level": "majority"]
        if let after = attempt.after { concern.append("afterClusterTime", after.value) }
        var find = find
        find.append("readConcern", .document(concern))
        find.append("maxTimeMS", .int32(max(1, Int32(clamping: attempt.limit.milliseconds))))
        let answer = try answer(find, attempt, operation, in: database)
        guard let documents = try answer.document("cursor")?.documents("firstBatch"), let time = try answer.value("operationTime").flatMap(OperationTime.init)
        else { throw MongoError(code: 0, operation: operation, message: "the answer lacks documents or operationTime") }
        return ReadDocuments(documents: documents, isWhole: answer.size < Self.wholeAnswer, operationTime: time)
    }

    private func answer(_ command: Document, _ attempt: ReadAttempt, _ operation: String, in database: String) throws -> RawDocument {
        var error = mongo_shim_error()
        var reply = mongo_shim_reply()
        let bytes = BSON.encode(command)
        if readServers[attempt.server.name] == nil { findReadServers(needsPrimary: false) }
        guard let server = readServers[attempt.server.name] else {
            throw MongoError(code: 0, operation: operation, message: "\(attempt.server.name) is not known")
        }
        let done = mongo_shim_read(client, server, database, bytes, bytes.count, &reply, &error)
        defer { mongo_shim_free(reply.bytes) }
        let answer = [UInt8](UnsafeRawBufferPointer(start: reply.bytes, count: reply.bytes == nil ? 0 : reply.length))
        guard done == 1 else {
            let failure = MongoError(error, reply: (try? Document(bson: answer)) ?? Document(), operation: operation)
            // InvalidOptions: a server has not heard yet that there is a time as late as that. It will in a moment.
            if failure.serverCode == 72, attempt.after != nil { throw MongoError(code: 0, operation: operation, message: failure.message) }
            // What another server, or the same in a moment, may do better; everything else is of the question.
            guard let code = failure.serverCode, !Self.passing.contains(code) else { throw failure }
            switch code {
            case 2 where failure.message.contains("hint"):
                throw ReadFailure.refused(Refusal(.serverRefused, "the index that this needs is not made yet: a worker makes it when it starts"))
            case 51_174...51_176: throw ReadFailure.refused(Refusal(.badRequest, "after is not what an earlier page gave as next"))
            default: throw ReadFailure.refused(Refusal(failure.problem, "MongoDB refused to \(operation) (code \(code))"))
            }
        }
        return RawDocument(answer)
    }

    /// Codes of servers that stop, start, change their part or take too long.
    private static let passing: Set<Int> = [
        6, 7, 50, 63, 89, 91, 134, 175, 189, 237, 262, 9001, 10107, 11600, 11601, 11602, 13435, 13436,
    ]
    /// MaxTimeMSExpired.
    fileprivate static let expired = 50

    /// A server ends its answer before 16 MiB, at a document that would not fit: so only one that is larger can have been cut off.
    private static let wholeAnswer = (ByteCount.mebibytes(16).bytes - Model.maximumDocumentSize.bytes) - 64 << 10
}

extension OperationTime {
    fileprivate init?(_ value: Value) {
        guard case .other(let opaque) = value, opaque.type == BSONType.timestamp, opaque.bytes.count == 8 else { return nil }
        func word(_ start: Int) -> UInt32 { opaque.bytes[start..<(start + 4)].reversed().reduce(0) { $0 << 8 | UInt32($1) } }
        self.init(seconds: word(4), increment: word(0))
    }

    fileprivate var value: Value {
        let number = UInt64(seconds) << 32 | UInt64(increment)
        return .other(OpaqueValue(type: BSONType.timestamp, bytes: (0..<8).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }))
    }
}
