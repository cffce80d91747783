import Events
import Projector
import Values

/// The event log as one collection of chunks.
public struct MongoLog: EventLog {
    let connection: MongoConnection
    let database: String

    public init(connection: MongoConnection, database: String) {
        self.connection = connection
        self.database = database
    }

    public func tail(of partition: PartitionID) async throws -> LogTail { try await connection.tail(database, partition) }

    public func windowStart(of partition: PartitionID, tail: LogTail, bounds: DedupeWindow.Bounds) async throws -> Int64 {
        try await connection.windowStart(database, partition, tail, bounds)
    }

    public func digests(of partition: PartitionID, from offset: Int64, below end: Int64) async throws -> [ChunkDigests] {
        try await connection.digests(database, partition, from: offset, below: end)
    }

    public func progress(of partition: PartitionID, segment identity: String) async throws -> SegmentProgress {
        try await connection.progress(database, identity)
    }

    public func clock() async throws -> Int64 { try await connection.clock() }

    public func append(_ chunk: Chunk) async throws -> AppendReply {
        try await connection.append(database, ChunkCodec.encode(chunk))
    }

    public func chunks(of partition: PartitionID, from offset: Int64, events: Int) async throws -> [Chunk] {
        try await connection.chunks(database, partition, from: offset, events: events)
    }

    public func chunks(of partition: PartitionID, withKeys keys: [String], _ offsets: Range<Int64>) async throws -> [Chunk] {
        try await connection.chunks(database, partition, withKeys: keys, offsets)
    }

    /// The indexes that the log's safety rests on: offsets are unique by `_id`, and no part of a segment is logged twice.
    static let createIndexes: Document = [
        "createIndexes": .string(Collections.log),
        "indexes": [
            ["key": ["segment": 1, "index": 1], "name": "segment", "unique": true],
            ["key": ["keys": 1, "_id": 1], "name": "keys"],
        ],
    ]
}

extension MongoConnection {
    /// A page of digests holds about this many chunks: 160 KiB each at 5,000 events.
    private static let digestPage: Int32 = 16

    private static func projection(_ fields: [String]) -> Value {
        .document(Document(fields.map { Document.Field($0, 1) }))
    }

    /// The primary's clock: milliseconds since 1970.
    func clock() throws -> Int64 {
        let reply = try run("admin", BSON.encode(["hello": 1]), .plain, "read the clock")
        guard let now = reply["localTime"]?.asDate else { throw MongoError(code: 0, operation: "read the clock", message: "hello without localTime") }
        return now
    }

    func tail(_ database: String, _ partition: PartitionID) throws -> LogTail {
        let last = try document(
            database, Collections.log, ["_id": partition.range()],
            options: ["sort": ["_id": -1], "projection": Self.projection(ChunkCodec.headProjection)], "read the log's tail"
        )
        let now = try clock()
        guard let last else { return LogTail(offset: 0, totals: LogTotals(), at: 0, age: 0, now: now) }
        let head = try last.chunk(ChunkCodec.decodeHead)
        return LogTail(offset: head.offset + (last["n"]?.asInteger ?? 0), totals: head.totals, at: head.at, age: head.age, now: now)
    }

    fileprivate func windowStart(_ database: String, _ partition: PartitionID, _ tail: LogTail, _ bounds: DedupeWindow.Bounds) throws -> Int64 {
        var start = tail.offset
        // Newest first, heads only: the log may be far longer than the window.
        try find(
            database, Collections.log, ["_id": partition.range(below: tail.offset)],
            options: ["sort": ["_id": -1], "projection": ["_id": 1, "age": 1, "totals": 1], "batchSize": 64], "find the dedupe window's end"
        ) { bytes in
            let chunk = try Document(bson: bytes)
            guard let offset = chunk["_id"]?.asDocument?["o"]?.asInteger, let age = chunk["age"]?.asInteger, let totals = chunk["totals"]?.asDocument
            else { throw ChunkError.damaged("a field is missing") }
            let originals =
                (totals["received"]?.asInteger ?? 0) - (totals["duplicates"]?.asInteger ?? 0) - (totals["undecodable"]?.asInteger ?? 0)
            // Originals after this chunk: when they alone fill the window, nothing in the chunk can matter.
            let after = tail.totals.originals - originals
            let near = after <= Int64(bounds.originals) && tail.age - age <= bounds.age
            guard near || after < Int64(bounds.originalsAtAnyAge) else { return false }
            start = offset
            return true
        }
        return start
    }

    fileprivate func digests(_ database: String, _ partition: PartitionID, from offset: Int64, below end: Int64) throws -> [ChunkDigests] {
        for _ in 0..<Self.mergeReads {
            let start = try holder(database, partition, of: offset)
            let found = try documents(
                database, Collections.log, ["_id": partition.range(from: min(start, offset), below: end)],
                options: [
                    "sort": ["_id": 1], "projection": Self.projection(ChunkCodec.digestProjection), "limit": .int32(Self.digestPage),
                    "batchSize": .int32(Self.digestPage),
                ], "read the dedupe window"
            )
            var digests: [ChunkDigests] = []
            var next = offset
            var isMoved = false
            for stored in found {
                // Between two chunks that were read, one was merged into one that was read before.
                if stored["into"] != nil, let own = stored["_id"]?.asDocument?["o"]?.asInteger, own >= next { isMoved = true }
                let chunks = try unlessPruned(database, partition) { try stored.chunk(ChunkCodec.decodeDigests) }
                digests += chunks.filter { $0.offset >= offset && $0.offset < end }
                next = digests.last.map { $0.offset + Int64($0.count) } ?? next
            }
            // A page of nothing but what was merged ends before `end` all the same.
            if !isMoved { return digests }
        }
        throw Refusal(
            .logDamaged, "the log of \(partition) has a chunk behind offset \(offset) that was merged into one that does not have it: restore it from a backup")
    }

    /// Times that something is read again because chunks were merged meanwhile, which happens once to each.
    private static let mergeReads = 5

    fileprivate func progress(_ database: String, _ identity: String) throws -> SegmentProgress {
        var progress = SegmentProgress()
        try find(
            database, Collections.log, ["segment": .string(identity)],
            options: ["sort": ["index": 1], "projection": ["index": 1, "n": 1, "oversize": 1]], "read a segment's progress"
        ) { bytes in
            let chunk = try Document(bson: bytes)
            progress.end = (chunk["index"]?.asInteger ?? 0) + (chunk["n"]?.asInteger ?? 0)
            progress.oversize += chunk["oversize"]?.asArray?.compactMap(\.asInteger) ?? []
            return true
        }
        return progress
    }

    fileprivate func append(_ database: String, _ chunk: [UInt8]) throws(MongoError) -> AppendReply {
        var command: [UInt8] = []
        command.reserveCapacity(chunk.count + 64)
        let start = BSON.openDocument(&command)
        BSON.append("insert", .string(Collections.log), to: &command)
        BSON.appendHeader(BSONType.array, "documents", to: &command)
        let list = BSON.openDocument(&command)
        BSON.append("0", encoded: chunk, to: &command)
        BSON.closeDocument(list, &command)
        BSON.closeDocument(start, &command)
        let reply = try run(database, command, .write, "append to the log")
        if Self.writeErrorCode(reply) == 11000 { return .collision }
        try Self.check(reply, "append to the log")
        return .appended
    }

    /// Raw bytes of chunks that are held at once, and one chunk's more: a page of large events has few of them.
    private static let mostRaw = ByteCount.mebibytes(16).bytes

    fileprivate func chunks(_ database: String, _ partition: PartitionID, from offset: Int64, events: Int) throws -> [Chunk] {
        var gap: (at: Int64, next: Int64)?
        for _ in 0..<Self.mergeReads {
            let read = try readChunks(database, partition, from: offset, events: events)
            gap = read.gap
            guard let gap else { return read.chunks }
            // The one that is not there was merged into one that was read before.
            let left = try document(
                database, Collections.log, ["_id": .document(ChunkCodec.id(partition, gap.at))], options: ["projection": ["into": 1]],
                "look for a merged chunk")
            if left?["into"] == nil { break }
            if !read.chunks.isEmpty { return read.chunks }
        }
        throw Refusal(.logDamaged, "the log of \(partition) has no chunk at offset \(gap?.at ?? offset): it goes on at \(gap?.next ?? offset)")
    }

    private func readChunks(
        _ database: String, _ partition: PartitionID, from offset: Int64, events: Int
    ) throws -> (chunks: [Chunk], gap: (at: Int64, next: Int64)?) {
        let start = try holder(database, partition, of: offset)
        var chunks: [Chunk] = []
        var next = start
        var (count, size) = (0, 0)
        var isPruned = false
        var gap: (at: Int64, next: Int64)?
        let filter: Document = ["_id": partition.range(from: start), "into": ["$exists": false]]
        try find(database, Collections.log, filter, options: ["sort": ["_id": 1], "batchSize": 4], "read the log") { bytes in
            let stored = try Document(bson: bytes)
            guard stored["pruned"] == nil else {
                isPruned = true
                return false
            }
            for chunk in try stored.chunk(ChunkCodec.decodeMerged) {
                guard chunk.offset == next else {
                    gap = (next, chunk.offset)
                    return false
                }
                next = chunk.end
                guard chunk.end > offset else { continue }
                chunks.append(chunk)
                count += chunk.count
                size += chunk.raw.count
            }
            return count < events && size < Self.mostRaw
        }
        if isPruned { throw Refusal.pruned(partition, to: try logStart(database, partition)) }
        return (chunks, gap)
    }

    /// Where the chunk begins whose document holds an offset: its own, or that of the one that it was merged into.
    func holder(_ database: String, _ partition: PartitionID, of offset: Int64) throws -> Int64 {
        let first = try document(
            database, Collections.log, ["_id": partition.range(below: offset + 1)], options: ["sort": ["_id": -1], "projection": ["_id": 1, "into": 1]],
            "find a place in the log"
        )
        return first?["into"]?.asInteger ?? first?["_id"]?.asDocument?["o"]?.asInteger ?? 0
    }

    /// Where the chunk begins that holds an offset.
    func place(_ database: String, _ partition: PartitionID, of offset: Int64) throws -> Int64 {
        let first = try document(
            database, Collections.log, ["_id": partition.range(below: offset + 1)], options: ["sort": ["_id": -1], "projection": ["_id": 1]],
            "find a place in the log"
        )
        return first?["_id"]?.asDocument?["o"]?.asInteger ?? 0
    }

    /// Chunks of a key that are held at once: each may have 16 MiB.
    private static let keyPage: Int32 = 4

    fileprivate func chunks(_ database: String, _ partition: PartitionID, withKeys keys: [String], _ offsets: Range<Int64>) throws -> [Chunk] {
        // The index does not know what keys were in chunks that are gone.
        let first = try logStart(database, partition)
        guard offsets.lowerBound >= first else { throw Refusal.pruned(partition, to: first) }
        let start = try place(database, partition, of: offsets.lowerBound)
        var found: [Chunk] = []
        // Those that are merged are found by what is left of them: none is missed while that is done.
        var merged: [Chunk] = []
        for stored in try documents(
            database, Collections.log,
            ["keys": ["$in": .array(keys.map(Value.string))], "_id": partition.range(from: start, below: offsets.upperBound)],
            options: ["sort": ["_id": 1], "limit": .int32(Self.keyPage), "batchSize": .int32(Self.keyPage)], "read the events of keys")
        {
            guard let own = stored["_id"]?.asDocument?["o"]?.asInteger else { throw ChunkError.damaged("a field is missing") }
            if !merged.contains(where: { $0.offset == own }) {
                merged = try unlessPruned(database, partition) { try mergedChunks(database, partition, stored) }
            }
            guard let chunk = merged.first(where: { $0.offset == own }) else {
                throw Refusal(.logDamaged, "the log of \(partition) has no chunk at offset \(own): restore it from a backup")
            }
            if chunk.end > offsets.lowerBound { found.append(chunk) }
        }
        return found
    }

    /// The chunks of a document, or of the one that it was merged into.
    private func mergedChunks(_ database: String, _ partition: PartitionID, _ stored: Document) throws -> [Chunk] {
        try holding(database, partition, stored).chunk(ChunkCodec.decodeMerged)
    }

    /// The document that holds the elements of one: itself, or the one that it was merged into.
    func holding(_ database: String, _ partition: PartitionID, _ stored: Document) throws -> Document {
        var stored = stored
        // By the time that it is read, that one may have been merged too.
        while let into = stored["into"]?.asInteger {
            _ = try stored.chunk(ChunkCodec.decodeHead)
            guard let holder = try document(database, Collections.log, ["_id": .document(ChunkCodec.id(partition, into))], "read a merged chunk") else {
                throw Refusal(.logDamaged, "the log of \(partition) has no chunk at offset \(into), into which others were merged: restore it from a backup")
            }
            stored = holder
        }
        return stored
    }
}

extension Document {
    /// Decodes a stored chunk, and says of a damaged one where in the log it is.
    func chunk<Part>(_ decode: (Document) throws(ChunkError) -> Part) throws(ChunkError) -> Part {
        do {
            return try decode(self)
        } catch .damaged(let what) {
            let id = self["_id"]?.asDocument
            let place = "\(id?["s"]?.asString ?? "?")/\(id?["p"]?.asInteger ?? -1)@\(id?["o"]?.asInteger ?? -1)"
            throw .damaged("\(place), \(what): restore it from a backup")
        }
    }
}
