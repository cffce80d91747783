import Events
import Projector
import Values

/// The head of a snapshot as it is stored.
enum SnapshotDocument {
    static func id(_ id: SnapshotID) -> Value {
        [
            "s": .string(id.partition.stream), "p": .int32(Int32(id.partition.number)), "b": .string(id.build.description), "o": .int64(id.offset),
            "a": .string(id.attempt),
        ]
    }

    static func encode(_ snapshot: Snapshot) -> Document {
        var decisions: [UInt8] = []
        BSON.append(snapshot.decisions.low, to: &decisions)
        BSON.append(snapshot.decisions.high, to: &decisions)
        var stored: Document = [
            "_id": id(snapshot.id), "format": .int32(snapshot.isLoaded ? StoredFormat.loaded : StoredFormat.current),
            "purpose": .string(snapshot.purpose.rawValue),
            "complete": .bool(snapshot.isComplete), "foldHash": .string(snapshot.foldHash), "foldVersion": .int32(snapshot.foldVersion),
            "at": .date(snapshot.time), "decisions": .binary(decisions), "rows": .int64(snapshot.rows), "documents": .int64(snapshot.documents),
            "bytes": .int64(snapshot.bytes), "blocks": .int64(Int64(snapshot.blocks)),
        ]
        if snapshot.isLoaded { stored.append("loaded", true) }
        return stored
    }

    static func decode(_ stored: Document) throws(Refusal) -> Snapshot {
        try StoredFormat.check(stored, "a snapshot", upTo: StoredFormat.loaded)
        guard let id = stored["_id"]?.asDocument, let stream = id["s"]?.asString, let number = id["p"]?.asInteger,
            let build = id["b"]?.asString.flatMap(BuildID.init), let offset = id["o"]?.asInteger, let attempt = id["a"]?.asString,
            let purpose = stored["purpose"]?.asString.flatMap(Snapshot.Purpose.init), let hash = stored["foldHash"]?.asString,
            let version = stored["foldVersion"]?.asInteger, let time = stored["at"]?.asDate, let decisions = stored["decisions"]?.asBinary,
            decisions.count == 16
        else { throw Refusal(.logDamaged, "a snapshot lacks a field: remove \(stored["_id"].map(JSON.write) ?? "it") from \(Collections.snapshots)") }
        var snapshot = Snapshot(
            id: SnapshotID(build: build, partition: PartitionID(stream: stream, number: Int(number)), offset: offset, attempt: attempt),
            purpose: purpose, isLoaded: stored["loaded"] == true, foldHash: hash, foldVersion: Int32(clamping: version), time: time,
            decisions: Array(decisions).digest(at: 0))
        snapshot.isComplete = stored["complete"] == true
        snapshot.rows = stored["rows"]?.asInteger ?? 0
        snapshot.documents = stored["documents"]?.asInteger ?? 0
        snapshot.bytes = stored["bytes"]?.asInteger ?? 0
        snapshot.blocks = Int(stored["blocks"]?.asInteger ?? 0)
        return snapshot
    }
}

/// A block of a snapshot as it is stored: `{_id: {a, n, k: 0}, format, n, keys, digests, held, sum}` and, of the same
/// number, `{_id: {a, n, k: 1}, format, n, raw, sum}`. Keys and documents are lengths and bytes, end to end, under zstd.
enum SnapshotBlockDocument {
    enum Part: Int32 {
        case index = 0
        case bodies = 1
    }

    static func id(_ attempt: String, _ number: Int, _ part: Part) -> Value {
        ["a": .string(attempt), "n": .int64(Int64(number)), "k": .int32(part.rawValue)]
    }

    /// Ids of an attempt's blocks.
    static func blocks(of attempt: String) -> Value { ["$gte": ["a": .string(attempt)], "$lte": ["a": .string(attempt), "n": .int64(.max)]] }

    static func encode(_ rows: [SnapshotRow], _ attempt: String, _ number: Int) -> [[UInt8]] {
        let index = SnapshotIndex(of: rows)
        var keys: [UInt8] = []
        for place in 0..<index.keys.count { BSON.append(UInt16(index.keys.range(at: place).count), to: &keys) }
        keys += index.keys.bytes
        var digests: [UInt8] = []
        digests.reserveCapacity(index.digests.count * 16)
        for digest in index.digests {
            BSON.append(digest.low, to: &digests)
            BSON.append(digest.high, to: &digests)
        }
        var raw: [UInt8] = []
        raw.reserveCapacity(rows.reduce(0) { $0 + $1.bson.count + 4 })
        for row in rows { BSON.append(UInt32(row.bson.count), to: &raw) }
        for row in rows { raw += row.bson }
        let held = index.isHeld.contains(true) ? index.isHeld.map { $0 ? UInt8(1) : 0 } : []
        return [
            seal(id(attempt, number, .index), rows.count, [("keys", Zstd.compress(keys)), ("digests", digests), ("held", held)]),
            seal(id(attempt, number, .bodies), rows.count, [("raw", Zstd.compress(raw))]),
        ]
    }

    static func index(_ stored: Document) throws(ChunkError) -> SnapshotIndex {
        let (count, blocks) = try open(stored, ["keys", "digests", "held"])
        guard let keys = Zstd.decompress(blocks[0]), keys.count >= 2 * count, blocks[1].count == 16 * count, blocks[2].isEmpty || blocks[2].count == count
        else { throw .damaged("a block has another length") }
        var index = SnapshotIndex()
        let digests = Array(blocks[1])
        try split(keys, lengths: UInt16.self, count) { index.keys.append($0) }
        index.digests = (0..<count).map { digests.digest(at: 16 * $0) }
        index.isHeld = blocks[2].isEmpty ? Array(repeating: false, count: count) : blocks[2].map { $0 != 0 }
        return index
    }

    static func bodies(_ stored: Document) throws(ChunkError) -> [[UInt8]] {
        let (count, blocks) = try open(stored, ["raw"])
        guard let raw = Zstd.decompress(blocks[0]), raw.count >= 4 * count else { throw .damaged("a block has another length") }
        var bodies: [[UInt8]] = []
        bodies.reserveCapacity(count)
        try split(raw, lengths: UInt32.self, count) { bodies.append([UInt8]($0)) }
        return bodies
    }

    /// Calls `body` with each of so many pieces, whose lengths come first.
    private static func split<Length: FixedWidthInteger & BitwiseCopyable>(
        _ bytes: [UInt8], lengths: Length.Type, _ count: Int, _ body: (UnsafeRawBufferPointer) -> Void
    ) throws(ChunkError) {
        let size = MemoryLayout<Length>.size
        let isWhole = bytes.withUnsafeBytes { buffer in
            var start = count * size
            for place in 0..<count {
                let length = Int(Length(littleEndian: buffer.loadUnaligned(fromByteOffset: place * size, as: Length.self)))
                guard length <= buffer.count - start else { return false }
                body(UnsafeRawBufferPointer(rebasing: buffer[start..<start + length]))
                start += length
            }
            return start == buffer.count
        }
        guard isWhole else { throw .damaged("its pieces have other lengths") }
    }

    private static func seal(_ id: Value, _ count: Int, _ blocks: [(name: String, bytes: [UInt8])]) -> [UInt8] {
        var document: Document = ["_id": id, "format": .int32(StoredFormat.current), "n": .int32(Int32(count))]
        for block in blocks { document.append(block.name, .binary(block.bytes)) }
        let digest = Digest(of: BSON.encode(document))
        var sum: [UInt8] = []
        BSON.append(digest.low, to: &sum)
        BSON.append(digest.high, to: &sum)
        document.append("sum", .binary(sum))
        return BSON.encode(document)
    }

    /// What a block holds, once its checksum is right.
    private static func open(_ stored: Document, _ names: [String]) throws(ChunkError) -> (count: Int, blocks: [ArraySlice<UInt8>]) {
        if let format = stored["format"]?.asInteger, format > Int64(StoredFormat.current) { throw .newerFormat(format) }
        guard let sum = stored["sum"]?.asBinary, sum.count == 16, let count = stored["n"]?.asInteger, count >= 0 else { throw .damaged("it has no checksum") }
        var content = stored
        content["sum"] = nil
        guard Digest(of: BSON.encode(content)) == Array(sum).digest(at: 0) else { throw .damaged("a block does not match its checksum") }
        let blocks = names.compactMap { stored[$0]?.asBinary }
        guard blocks.count == names.count else { throw .damaged("a part is missing") }
        return (Int(count), blocks)
    }
}

extension [UInt8] {
    /// The digest that is stored at a byte, which is there.
    fileprivate func digest(at place: Int) -> Digest {
        withUnsafeBytes { bytes in
            Digest(
                low: UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: place, as: UInt64.self)),
                high: UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: place + 8, as: UInt64.self)))
        }
    }
}
