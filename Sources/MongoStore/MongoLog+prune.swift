import Events
import Projector
import Values

/// Rule 9: pruning frees no `_id` and leaves the last chunk. A pruned chunk stays as its head, and the log's first one says
/// up to where it was pruned: it is written first, so that nobody takes what is on its way out for what is there.
extension MongoLog: PrunedLog {
    public func start(of partition: PartitionID) async throws -> Int64 { try await connection.logStart(database, partition) }

    public func boundary(of partition: PartitionID, at offset: Int64) async throws -> Int64 {
        try await connection.holder(database, partition, of: offset)
    }

    public func declare(_ partition: PartitionID, prunedBelow offset: Int64) async throws -> Int64 {
        try await connection.declare(database, partition, prunedBelow: offset)
    }

    public func prune(_ partition: PartitionID, _ offsets: Range<Int64>) async throws -> PrunedChunks? {
        try await connection.prune(database, partition, offsets)
    }
}

extension MongoConnection {
    /// Heads that are read and written at once.
    private static let prunePage: Int32 = 200

    /// Where a partition's log begins.
    func logStart(_ database: String, _ partition: PartitionID) throws -> Int64 {
        let first = try document(
            database, Collections.log, ["_id": .document(ChunkCodec.id(partition, 0))], options: ["projection": ["pruned": 1]], "look where the log begins")
        return first?["pruned"]?.asInteger ?? 0
    }

    /// Reads, and where that meets what was pruned says from where on the log is there.
    func unlessPruned<Result>(_ database: String, _ partition: PartitionID, _ read: () throws -> Result) throws -> Result {
        do {
            return try read()
        } catch ChunkError.pruned {
            throw Refusal.pruned(partition, to: try logStart(database, partition))
        }
    }

    fileprivate func declare(_ database: String, _ partition: PartitionID, prunedBelow offset: Int64) throws -> Int64 {
        var count: Int64 = 0
        while try logStart(database, partition) < offset {
            let id: Value = .document(ChunkCodec.id(partition, 0))
            guard let first = try document(database, Collections.log, ["_id": id], "read the log's first chunk") else {
                throw Refusal(.logDamaged, "the log of \(partition) has no chunk at offset 0: restore it from a backup")
            }
            guard try ChunkCodec.end(of: first) <= offset else {
                throw Refusal(.noProgress, "chunks of \(partition) were merged meanwhile: try again")
            }
            let replaced = try replace(database, [first], "prune the log") { try ChunkCodec.stub(of: $0, prunedBelow: offset) }
            if replaced == 1, first["pruned"] == nil { count = first["n"]?.asInteger ?? 0 }
        }
        return count
    }

    fileprivate func prune(_ database: String, _ partition: PartitionID, _ offsets: Range<Int64>) throws -> PrunedChunks? {
        let heads = try documents(
            database, Collections.log, ["_id": partition.range(from: offsets.lowerBound, below: offsets.upperBound)],
            options: [
                "sort": ["_id": 1], "projection": .document(Document(ChunkCodec.headProjection.map { Document.Field($0, 1) })), "limit": .int32(Self.prunePage),
                "batchSize": .int32(Self.prunePage),
            ], "read heads of the log"
        )
        guard let last = heads.last, let start = last["_id"]?.asDocument?["o"]?.asInteger, let count = last["n"]?.asInteger else { return nil }
        // One that others were merged into meanwhile, which stay, stays with them.
        let whole = try heads.filter { try $0["pruned"] == nil && ChunkCodec.end(of: $0) <= offsets.upperBound }
        let replaced = try replace(database, whole, "prune the log") { head in
            try ChunkCodec.stub(of: head, prunedBelow: (head["_id"]?.asDocument?["o"]?.asInteger ?? 0) + (head["n"]?.asInteger ?? 0))
        }
        guard replaced == whole.count else { return try prune(database, partition, offsets) }
        return PrunedChunks(chunks: Int64(whole.count), elements: whole.reduce(0) { $0 + ($1["n"]?.asInteger ?? 0) }, end: start + count)
    }

    /// Replaces chunks that are still what was read of them, by their checksums. Returns how many were.
    func replace(_ database: String, _ chunks: [Document], _ operation: String, _ change: (Document) throws -> [UInt8]) throws -> Int {
        guard !chunks.isEmpty else { return 0 }
        var updates: [Value] = []
        for chunk in chunks {
            guard let id = chunk["_id"], let sum = chunk["sum"] else { throw ChunkError.damaged("a field is missing") }
            updates.append(["q": ["_id": id, "sum": sum], "u": .document(try Document(bson: try change(chunk)))])
        }
        let reply = try run(database, BSON.encode(["update": .string(Collections.log), "updates": .array(updates)]), .write, operation)
        try Self.check(reply, operation)
        return Int(reply["n"]?.asInteger ?? 0)
    }
}
