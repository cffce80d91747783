import Events
import Projector
import Values

/// Snapshots in one collection.
///
/// A head is `{_id: {s, p, b, o, a}, format, purpose, complete, foldHash, foldVersion, at, decisions, rows, documents, bytes, blocks}`;
/// a block is two documents, `SnapshotBlockDocument`s, whose ids begin with `a`, the attempt, and so come before all heads.
public struct MongoSnapshots: SnapshotStore {
    let connection: MongoConnection
    let database: String

    public init(connection: MongoConnection, database: String) {
        self.connection = connection
        self.database = database
    }

    public func snapshots(of partition: PartitionID) async throws -> [Snapshot] {
        try await connection.documents(database, Collections.snapshots, ["_id": partition.range()], "read snapshots").map { try SnapshotDocument.decode($0) }
    }

    public func begin(_ snapshot: Snapshot) async throws {
        try await connection.insert(database, Collections.snapshots, [BSON.encode(SnapshotDocument.encode(snapshot))], "begin a snapshot")
    }

    public func append(_ blocks: [[SnapshotRow]], from number: Int, to id: SnapshotID) async throws {
        for (place, block) in blocks.enumerated() {
            try await connection.insert(
                database, Collections.snapshots, SnapshotBlockDocument.encode(block, id.attempt, number + place), "write a block of a snapshot")
        }
    }

    public func complete(_ snapshot: Snapshot) async throws -> Bool {
        try await connection.replace(database, Collections.snapshots, SnapshotDocument.encode(snapshot), "complete a snapshot")
    }

    public func change(_ id: SnapshotID, to purpose: Snapshot.Purpose) async throws -> Bool {
        try await connection.change(database, id, ["purpose": .string(purpose.rawValue)])
    }

    public func rewrite(_ snapshot: Snapshot, _ block: (number: Int, rows: [SnapshotRow])?) async throws {
        try await connection.rewrite(database, snapshot, block)
    }

    public func remove(_ id: SnapshotID) async throws {
        try await connection.delete(database, Collections.snapshots, ["_id": SnapshotDocument.id(id)], "remove a snapshot")
        CrashPoint.snapshotHeadRemoved.reached()
        try await connection.delete(database, Collections.snapshots, ["_id": SnapshotBlockDocument.blocks(of: id.attempt)], "remove a snapshot's blocks")
    }

    public func removeLeftovers() async throws { try await connection.removeLeftovers(database) }

    public func indexes(of id: SnapshotID, _ numbers: Range<Int>) async throws -> [SnapshotIndex] {
        try await connection.blocks(database, id, numbers, .index) { try SnapshotBlockDocument.index($0) }
    }

    public func bodies(of id: SnapshotID, _ numbers: Range<Int>) async throws -> [[[UInt8]]] {
        try await connection.blocks(database, id, numbers, .bodies) { try SnapshotBlockDocument.bodies($0) }
    }

    public func decisions(on model: String, _ partition: PartitionID) async throws -> [Int64: Decision] {
        try await connection.decisions(database, model, partition)
    }

    public func decisions(on model: String, _ partition: PartitionID, ofKey key: String) async throws -> [Int64: Decision] {
        try await connection.decisions(database, model, partition, keys: [key])
    }

    public func keys(of partition: PartitionID, _ offsets: Range<Int64>, after key: ExactString?, most: Int) async throws -> [ExactString] {
        try await connection.keys(database, partition, offsets, after: key, most: most)
    }

    public func logged(at offset: Int64, of partition: PartitionID) async throws -> Int64? {
        try await connection.logged(database, at: offset, of: partition)
    }
}

extension MongoConnection {
    fileprivate func change(_ database: String, _ id: SnapshotID, _ fields: Document) throws -> Bool {
        let command: Document = [
            "update": .string(Collections.snapshots), "updates": [["q": ["_id": SnapshotDocument.id(id)], "u": ["$set": .document(fields)]]],
        ]
        let reply = try run(database, BSON.encode(command), .write, "change a snapshot")
        try Self.check(reply, "change a snapshot")
        return reply["n"]?.asInteger == 1
    }

    /// One transaction: two documents of the block, and the head, which says that the snapshot is there.
    fileprivate func rewrite(_ database: String, _ snapshot: Snapshot, _ block: (number: Int, rows: [SnapshotRow])?) throws {
        let head = SnapshotDocument.encode(snapshot)
        let fields = Document(head.fields.filter { ["decisions", "rows", "documents", "bytes"].contains($0.name) })
        var updates: [Value] = [["q": ["_id": head["_id"] ?? .null], "u": ["$set": .document(fields)]]]
        if let block {
            for part in SnapshotBlockDocument.encode(block.rows, snapshot.id.attempt, block.number) {
                let part = try Document(bson: part)
                updates.append(["q": ["_id": part["_id"] ?? .null], "u": .document(part)])
            }
        }
        try startTransaction()
        do {
            let reply = try run(
                database, BSON.encode(["update": .string(Collections.snapshots), "updates": .array(updates)]), .transaction, "erase from a snapshot")
            try Self.check(reply, "erase from a snapshot")
            guard reply["n"]?.asInteger == Int64(updates.count) else { return abortTransaction() }
        } catch {
            abortTransaction()
            throw error
        }
        _ = try settle()
    }

    /// Goes from one attempt's blocks to the next one's, so that what is in use is not read. A head is there before its first
    /// block: so it is looked for after that was seen.
    fileprivate func removeLeftovers(_ database: String) throws {
        var after: Value = ["a": ""]
        while let attempt = try document(
            database, Collections.snapshots, ["_id": ["$gt": after, "$lt": ["s": ""]]], options: ["sort": ["_id": 1], "projection": ["_id": 1]],
            "look for leftovers of snapshots")?["_id"]?.asDocument?["a"]?.asString
        {
            let blocks = SnapshotBlockDocument.blocks(of: attempt)
            let head: Document = ["_id": ["$gte": ["s": ""]], "_id.a": .string(attempt)]
            if try document(database, Collections.snapshots, head, options: ["projection": ["_id": 1]], "look for a snapshot") == nil {
                try delete(database, Collections.snapshots, ["_id": blocks], "remove leftovers of snapshots")
            }
            after = blocks.asDocument?["$lte"] ?? .null
        }
    }

    fileprivate func blocks<Block>(
        _ database: String, _ id: SnapshotID, _ numbers: Range<Int>, _ part: SnapshotBlockDocument.Part, _ decode: (Document) throws -> Block
    ) throws -> [Block] {
        let ids = numbers.map { SnapshotBlockDocument.id(id.attempt, $0, part) }
        var blocks: [Block] = []
        blocks.reserveCapacity(ids.count)
        try find(
            database, Collections.snapshots, ["_id": ["$in": .array(ids)]], options: ["sort": ["_id": 1], "batchSize": .int32(Int32(clamping: ids.count + 1))],
            "read blocks of a snapshot"
        ) { bytes in
            do {
                blocks.append(try decode(Document(bson: bytes)))
            } catch let error as ChunkError {
                throw SnapshotDamaged(id, "\(error)")
            }
            return true
        }
        return blocks
    }

    fileprivate func decisions(
        _ database: String, _ model: String, _ partition: PartitionID, keys: [String]? = nil
    ) throws -> [Int64: Decision] {
        var decisions: [Int64: Decision] = [:]
        try find(
            database, Collections.deadLetters, DeadLetterDocument.decisions(partition, from: 0, keys: keys),
            options: ["projection": ["_id": 1, "decision": 1]], "read decisions"
        ) { bytes in
            let letter = try Document(bson: bytes)
            // What is no event makes no document.
            guard let id = letter["_id"]?.asDocument, let offset = id["o"]?.asInteger, id["b"]?.asString.flatMap(BuildID.init)?.model == model
            else { return true }
            decisions[offset] = try DeadLetterDocument.decision(letter)
            return true
        }
        return decisions
    }

    fileprivate func keys(
        _ database: String, _ partition: PartitionID, _ offsets: Range<Int64>, after: ExactString?, most: Int
    ) throws -> [ExactString] {
        var found: Set<ExactString> = []
        var bound: ExactString?
        let start = try place(database, partition, of: offsets.lowerBound)
        try find(
            database, Collections.log, ["_id": partition.range(from: start, below: offsets.upperBound)], options: ["projection": ["_id": 0, "keys": 1]],
            "read the keys of the log"
        ) { bytes in
            for key in try Document(bson: bytes)["keys"]?.asArray ?? [] {
                guard let text = key.asString else { continue }
                let key = ExactString(text)
                if after.map({ $0 < key }) ?? true, bound.map({ key <= $0 }) ?? true { found.insert(key) }
            }
            if found.count > 2 * most {
                let first = found.sorted().prefix(most)
                found = Set(first)
                bound = first.last
            }
            return true
        }
        return Array(found.sorted().prefix(most))
    }

    // MARK: Writing

    /// Inserts documents that are BSON already, one command each: they are large.
    fileprivate func insert(_ database: String, _ collection: String, _ documents: [[UInt8]], _ operation: String) throws {
        for document in documents {
            var command: [UInt8] = []
            command.reserveCapacity(document.count + 64)
            let start = BSON.openDocument(&command)
            BSON.append("insert", .string(collection), to: &command)
            BSON.appendHeader(BSONType.array, "documents", to: &command)
            let list = BSON.openDocument(&command)
            BSON.append("0", encoded: document, to: &command)
            BSON.closeDocument(list, &command)
            BSON.closeDocument(start, &command)
            try Self.check(try run(database, command, .write, operation), operation)
        }
    }

    /// Replaces a document that is there. False when it is not.
    fileprivate func replace(_ database: String, _ collection: String, _ document: Document, _ operation: String) throws -> Bool {
        let command: Document = ["update": .string(collection), "updates": [["q": ["_id": document["_id"] ?? .null], "u": .document(document)]]]
        let reply = try run(database, BSON.encode(command), .write, operation)
        try Self.check(reply, operation)
        return reply["n"]?.asInteger == 1
    }

    fileprivate func delete(_ database: String, _ collection: String, _ filter: Document, _ operation: String) throws {
        let command: Document = ["delete": .string(collection), "deletes": [["q": .document(filter), "limit": 0]]]
        try Self.check(try run(database, BSON.encode(command), .write, operation), operation)
    }
}
