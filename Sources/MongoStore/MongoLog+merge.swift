import Events
import Projector
import Values

extension MongoLog: MergedLog {
    public func sizes(of partition: PartitionID, _ offsets: Range<Int64>) async throws -> [ChunkSize] {
        try await connection.sizes(database, partition, offsets)
    }

    public func merge(_ partition: PartitionID, _ offsets: Range<Int64>, mostBytes: ByteCount) async throws -> MergedChunks {
        try await connection.merge(database, partition, offsets, mostBytes.bytes)
    }
}

extension MongoConnection {
    /// Heads that are read at once, and documents that are merged at once.
    private static let mergePage: Int32 = 1000

    /// The documents that hold elements, in order.
    private static func holders(_ partition: PartitionID, _ offsets: Range<Int64>) -> Document {
        ["_id": partition.range(from: offsets.lowerBound, below: offsets.upperBound), "into": ["$exists": false], "pruned": ["$exists": false]]
    }

    fileprivate func sizes(_ database: String, _ partition: PartitionID, _ offsets: Range<Int64>) throws -> [ChunkSize] {
        try documents(
            database, Collections.log, Self.holders(partition, offsets),
            options: [
                "sort": ["_id": 1], "projection": ["_id": 1, "n": 1, "parts.n": 1], "limit": .int32(Self.mergePage), "batchSize": .int32(Self.mergePage),
            ],
            "look for small chunks"
        ).map { stored in
            guard let offset = stored["_id"]?.asDocument?["o"]?.asInteger, let own = stored["n"]?.asInteger else {
                throw ChunkError.damaged("a field is missing")
            }
            let parts = stored["parts"]?.asArray ?? []
            let others = parts.reduce(0) { $0 + ($1.asDocument?["n"]?.asInteger ?? 0) }
            return ChunkSize(offset: offset, count: Int(own + others), chunks: 1 + parts.count)
        }
    }

    /// All of it in one transaction, on documents that are still what was read of them.
    fileprivate func merge(_ database: String, _ partition: PartitionID, _ offsets: Range<Int64>, _ mostBytes: Int) throws -> MergedChunks {
        var documents: [Document] = []
        var chunks: [Chunk] = []
        var bytes = 0
        try find(database, Collections.log, Self.holders(partition, offsets), options: ["sort": ["_id": 1]], "read small chunks") { stored in
            let document = try Document(bson: stored)
            let more = try document.chunk(ChunkCodec.decodeMerged)
            bytes += more.reduce(0) { $0 + $1.raw.count }
            if let last = chunks.last {
                guard let next = more.first, next.offset == last.end, next.shape == last.shape, bytes <= mostBytes else { return false }
            }
            documents.append(document)
            chunks += more
            return true
        }
        guard let first = documents.first, let last = chunks.last, let holder = chunks.first?.offset else {
            return MergedChunks(chunks: 0, end: offsets.upperBound)
        }
        let nothing = MergedChunks(chunks: 0, end: last.end)
        guard documents.count > 1 else { return nothing }
        var updates: [Value] = []
        for document in documents {
            guard let id = document["_id"], let sum = document["sum"] else { throw ChunkError.damaged("a field is missing") }
            let bson = document == first ? ChunkCodec.encode(merged: chunks) : try ChunkCodec.stub(of: document, into: holder)
            updates.append(["q": ["_id": id, "sum": sum], "u": .document(try Document(bson: bson))])
        }
        // Of what was merged into one of them before, it says where that is now.
        let moved = documents.dropFirst().compactMap { $0["parts"] == nil ? nil : $0["_id"]?.asDocument?["o"]?.asInteger }
        let stubs =
            try moved.isEmpty
            ? []
            : self.documents(
                database, Collections.log,
                ["_id": partition.range(from: offsets.lowerBound, below: last.end), "into": ["$in": .array(moved.map(Value.int64))]],
                "read merged chunks")
        for stub in stubs {
            guard let id = stub["_id"], let sum = stub["sum"] else { throw ChunkError.damaged("a field is missing") }
            updates.append(["q": ["_id": id, "sum": sum], "u": .document(try Document(bson: ChunkCodec.stub(of: stub, into: holder)))])
        }
        try startTransaction()
        do throws(MongoError) {
            let reply = try run(database, BSON.encode(["update": .string(Collections.log), "updates": .array(updates)]), .transaction, "merge chunks")
            try Self.check(reply, "merge chunks")
            // Somebody has erased something meanwhile: the next time.
            guard reply["n"]?.asInteger == Int64(updates.count) else {
                abortTransaction()
                return nothing
            }
        } catch {
            abortTransaction()
            // The same, at the same moment.
            if error.labels.contains("TransientTransactionError"), error.serverCode != nil { return nothing }
            throw error
        }
        _ = try settle()
        return MergedChunks(chunks: Int64(documents.count - 1), end: last.end)
    }
}
