import Values

/// Why a stored chunk cannot be used.
public enum ChunkError: Error, Equatable, CustomStringConvertible {
    /// Written by a newer Millrace.
    case newerFormat(Int64)
    /// The bytes are not what was written.
    case damaged(String)
    /// Its elements were removed.
    case pruned

    public var description: String {
        switch self {
        case .newerFormat(let format): "format \(format) is newer than \(Chunk.format), which this binary reads"
        case .pruned: "\(Problem.logPruned): a chunk of the log was pruned"
        case .damaged(let what): "\(Problem.logDamaged): a chunk of the log is damaged: \(what)"
        }
    }
}

/// A chunk as a document of the log, and back.
///
/// `{_id: {s, p, o}, format, n, segment, index, at, age, totals, keys, digests, columns, raw, sum}`, `oversize` where
/// there are such elements, and `shape` where they are not plain. `sum` holds four digests, of the head, the digests, the
/// columns with the keys, and the raw bytes, so that a reader that leaves blocks out still verifies what it reads.
///
/// Small chunks are merged into the first of them. Its head stays its own, and has the others' as `parts: [{n, segment, index, at,
/// age, totals, oversize}]`; its blocks are those of all, with the keys that only the others have in `moreKeys`. Each of the others
/// stays as its head and its keys, with `into`, the offset of the first, and a `sum` of head and keys: so no offset and no part of a
/// segment becomes free, and whoever looks for keys finds each chunk where it was.
public enum ChunkCodec {
    /// The fields that a head is decoded from.
    public static let headProjection = headFields + ["sum"]
    /// The fields that `ChunkDigests` needs: taking a partition over reads no payloads.
    public static let digestProjection = headProjection + ["digests"]
    static let headFields = ["_id", "format", "n", "segment", "index", "at", "age", "totals", "oversize", "shape", "pruned", "parts", "into"]

    public static func id(_ partition: PartitionID, _ offset: Int64) -> Document {
        ["s": .string(partition.stream), "p": .int32(Int32(partition.number)), "o": .int64(offset)]
    }

    public static func encode(_ chunk: Chunk) -> [UInt8] { encode(merged: [chunk]) }

    /// - Parameter chunks: consecutive, whose elements are read the same way.
    public static func encode(merged chunks: [Chunk]) -> [UInt8] {
        let chunk = Chunk.joined(chunks)
        var head = head(of: chunks[0])
        if chunks.count > 1 {
            head["format"] = .int32(Chunk.format)
            head.append("parts", .array(chunks.dropFirst().map { .document(part(of: $0)) }))
        }
        let headBytes = BSON.encode(head)
        let names = chunk.keys.map { Value.string($0.text) }
        let keys = encode(keys: names)
        let columns = Zstd.compress(ColumnBlock.encode(chunk))
        let raw = Zstd.compress(chunk.raw)
        var sum: [UInt8] = []
        for digest in [Digest(of: headBytes), digest(chunk.digests), digest(columns, keys), digest(raw)] {
            BSON.append(digest.low, to: &sum)
            BSON.append(digest.high, to: &sum)
        }
        // Written piece by piece: made as a document first, every block would be copied twice.
        var bytes: [UInt8] = []
        bytes.reserveCapacity(headBytes.count + keys.count + chunk.digests.count + columns.count + raw.count + 200)
        let start = BSON.openDocument(&bytes)
        BSON.append(membersOf: headBytes, to: &bytes)
        let own = chunks[0].keys.count
        if own == names.count {
            BSON.append(membersOf: keys, to: &bytes)
        } else {
            BSON.append("keys", .array(Array(names.prefix(own))), to: &bytes)
            BSON.append("moreKeys", .array(Array(names.dropFirst(own))), to: &bytes)
        }
        BSON.append("digests", binary: chunk.digests, to: &bytes)
        BSON.append("columns", binary: columns, to: &bytes)
        BSON.append("raw", binary: raw, to: &bytes)
        BSON.append("sum", binary: sum, to: &bytes)
        BSON.closeDocument(start, &bytes)
        return bytes
    }

    /// A chunk that is not merged.
    public static func decode(_ document: Document) throws(ChunkError) -> Chunk {
        let chunks = try decodeMerged(document)
        guard chunks.count == 1 else { throw .damaged("it is merged, and only the log knows such") }
        return chunks[0]
    }

    /// The chunks that a document holds: more than one where others were merged into it, and none where it was merged itself.
    public static func decodeMerged(_ document: Document) throws(ChunkError) -> [Chunk] {
        var chunk = try decodeHead(document)
        guard document["pruned"] == nil else { throw .pruned }
        if document["into"] != nil { return [] }
        let heads = try heads(of: document, chunk)
        let sums = try sums(document)
        guard let own = document["keys"]?.asArray, case let names = own + (document["moreKeys"]?.asArray ?? []),
            let columns = document["columns"]?.asBinary,
            let raw = document["raw"]?.asBinary, let digests = document["digests"]?.asBinary
        else { throw .damaged("a block is missing") }
        guard digest(columns, encode(keys: names)) == sums[2] else { throw .damaged("the columns do not match their checksum") }
        guard digest(raw) == sums[3] else { throw .damaged("the raw bytes do not match their checksum") }
        guard digest(digests) == sums[1] else { throw .damaged("the digests do not match their checksum") }
        guard let bytes = Zstd.decompress(raw), let block = Zstd.decompress(columns) else { throw .damaged("a block does not decompress") }
        chunk.keys = names.compactMap { $0.asString.map { ExactString($0) } }
        chunk.digests = Array(digests)
        chunk.raw = bytes
        let count = heads.reduce(0) { $0 + $1.count }
        guard chunk.keys.count == names.count, chunk.digests.count == count * Chunk.digestBytes else { throw .damaged("a block has another length") }
        try ColumnBlock.decode(block, count: count, into: &chunk)
        return heads.count == 1 ? [chunk] : chunk.split(heads)
    }

    /// Heads and digests only, of the chunks that a document holds.
    public static func decodeDigests(_ document: Document) throws(ChunkError) -> [ChunkDigests] {
        let head = try decodeHead(document)
        guard document["pruned"] == nil else { throw .pruned }
        if document["into"] != nil { return [] }
        let heads = try heads(of: document, head)
        let sums = try sums(document)
        guard let digests = document["digests"]?.asBinary else { throw .damaged("the digests are missing") }
        guard digest(digests) == sums[1], digests.count == heads.reduce(0, { $0 + $1.count }) * Chunk.digestBytes else {
            throw .damaged("the digests do not match their checksum")
        }
        var rest = digests[...]
        return heads.map { head, count in
            let own = rest.prefix(count * Chunk.digestBytes)
            rest = rest.dropFirst(own.count)
            return ChunkDigests(offset: head.offset, count: count, age: head.age, digests: Array(own))
        }
    }

    /// Everything but the blocks: enough for the tail and for a segment's progress.
    public static func decodeHead(_ document: Document) throws(ChunkError) -> Chunk {
        guard let format = document["format"]?.asInteger else { throw .damaged("it has no format") }
        guard format <= Int64(Chunk.format) else { throw .newerFormat(format) }
        guard let id = document["_id"]?.asDocument, let stream = id["s"]?.asString, let number = id["p"]?.asInteger, let offset = id["o"]?.asInteger
        else { throw .damaged("a field is missing") }
        var chunk = try part(document, of: PartitionID(stream: stream, number: Int(number)), at: offset).head
        if format == 2 || document["shape"] != nil {
            guard let shape = document["shape"]?.asDocument.flatMap(EventShape.init) else { throw .damaged("how its events are read is missing or unknown") }
            chunk.shape = shape
        }
        let stored = Document(document.fields.filter { headFields.contains($0.name) })
        guard Digest(of: BSON.encode(stored)) == (try sums(document))[0] else { throw .damaged("the head does not match its checksum") }
        return chunk
    }

    /// What is left of a chunk whose elements were removed: its head, by which it keeps its place, its part of its segment
    /// and its totals.
    ///
    /// - Parameters:
    ///   - stored: with its head at least.
    ///   - offset: what is below it is not there; the log's first chunk says it for the whole log.
    public static func stub(of stored: Document, prunedBelow offset: Int64) throws(ChunkError) -> [UInt8] {
        try stub(of: stored, Document.Field("pruned", .int64(offset)), [])
    }

    /// What is left of a chunk that was merged into another: its head and its keys, by which it is found.
    ///
    /// - Parameters:
    ///   - stored: whole.
    ///   - offset: of the other.
    public static func stub(of stored: Document, into offset: Int64) throws(ChunkError) -> [UInt8] {
        try stub(of: stored, Document.Field("into", .int64(offset)), stored.fields.filter { $0.name == "keys" })
    }

    private static func stub(of stored: Document, _ reason: Document.Field, _ rest: [Document.Field]) throws(ChunkError) -> [UInt8] {
        _ = try decodeHead(stored)
        var head = Document(stored.fields.filter { headFields.contains($0.name) && !["pruned", "parts", "into"].contains($0.name) })
        head["format"] = .int32(reason.name == "pruned" ? formatOfErased : Chunk.format)
        head.fields.append(reason)
        var sum: [UInt8] = []
        for digest in [Digest(of: BSON.encode(head)), .none, rest.isEmpty ? .none : digest([UInt8](), encode(keys: rest[0].value.asArray ?? [])), .none] {
            BSON.append(digest.low, to: &sum)
            BSON.append(digest.high, to: &sum)
        }
        head.fields += rest
        head.append("sum", .binary(sum))
        return BSON.encode(head)
    }

    /// Of chunks that something was taken out of.
    private static let formatOfErased: Int32 = 3

    private static func format(of chunk: Chunk) -> Int32 {
        if chunk.elements.contains(where: { $0.kind == .erased }) { return formatOfErased }
        return chunk.shape.isPlain ? 1 : 2
    }

    private static func head(of chunk: Chunk) -> Document {
        let id: Document = ["_id": .document(id(chunk.partition, chunk.offset)), "format": .int32(format(of: chunk))]
        var head = Document(id.fields + part(of: chunk).fields)
        if !chunk.shape.isPlain { head.append("shape", .document(chunk.shape.document)) }
        return head
    }

    /// What a head says of its chunk beside its place.
    private static func part(of chunk: Chunk) -> Document {
        var part: Document = [
            "n": .int32(Int32(chunk.count)),
            "segment": .string(chunk.segment),
            "index": .int64(chunk.index),
            "at": .date(chunk.at),
            "age": .int64(chunk.age),
            "totals": [
                "received": .int64(chunk.totals.received),
                "duplicates": .int64(chunk.totals.duplicates),
                "undecodable": .int64(chunk.totals.undecodable),
            ],
        ]
        if !chunk.oversize.isEmpty { part.append("oversize", .array(chunk.oversize.map(Value.int64))) }
        return part
    }

    /// The chunk whose head, or whose part of another's, this is; and how many elements it has.
    private static func part(_ part: Document, of partition: PartitionID, at offset: Int64) throws(ChunkError) -> (head: Chunk, count: Int) {
        guard let segment = part["segment"]?.asString, let index = part["index"]?.asInteger, let at = part["at"]?.asDate,
            let age = part["age"]?.asInteger, let totals = part["totals"]?.asDocument, let received = totals["received"]?.asInteger,
            let duplicates = totals["duplicates"]?.asInteger, let undecodable = totals["undecodable"]?.asInteger, let count = part["n"]?.asInteger
        else { throw .damaged("a field is missing") }
        var chunk = Chunk(
            partition: partition, offset: offset, segment: segment, index: index, at: at, age: age,
            totals: LogTotals(received: received, duplicates: duplicates, undecodable: undecodable))
        chunk.oversize = part["oversize"]?.asArray?.compactMap(\.asInteger) ?? []
        // Nobody logs a chunk of more; of one that says so, the sum would not be a number.
        guard 0...Int64(Int32.max) ~= count else { throw .damaged("it has \(count) elements") }
        return (chunk, Int(count))
    }

    /// The offset after the last element that a document holds.
    ///
    /// - Parameter stored: with its head at least.
    public static func end(of stored: Document) throws(ChunkError) -> Int64 {
        let heads = try heads(of: stored, decodeHead(stored))
        return heads.reduce(heads[0].head.offset) { $0 &+ Int64($1.count) }
    }

    /// Of the chunks that a document holds.
    private static func heads(of document: Document, _ first: Chunk) throws(ChunkError) -> [(head: Chunk, count: Int)] {
        var heads = [try part(document, of: first.partition, at: first.offset)]
        for value in document["parts"]?.asArray ?? [] {
            guard let stored = value.asDocument, let last = heads.last else { throw .damaged("a part is none") }
            heads.append(try part(stored, of: first.partition, at: last.head.offset &+ Int64(last.count)))
        }
        return heads
    }

    private static func sums(_ document: Document) throws(ChunkError) -> [Digest] {
        guard let sum = document["sum"]?.asBinary, sum.count == 64 else { throw .damaged("it has no checksum") }
        let bytes = Array(sum)
        return [Chunk.digests(at: 0, in: bytes), Chunk.digests(at: 1, in: bytes)].flatMap { [$0.id, $0.content] }
    }

    /// As they are stored, and digested with the columns.
    private static func encode(keys names: [Value]) -> [UInt8] { BSON.encode(["keys": .array(names)]) }

    /// - Parameter keys: `{keys: […]}` as BSON, where they are part of what is digested.
    private static func digest(_ bytes: some Collection<UInt8>, _ keys: [UInt8] = []) -> Digest {
        var hasher = DigestHasher()
        bytes.withContiguousStorageIfAvailable { hasher.combine(UnsafeRawBufferPointer($0)) }
        keys.withUnsafeBytes { hasher.combine($0) }
        return hasher.finalize()
    }
}

/// What the dedupe window needs of a chunk.
public struct ChunkDigests: Sendable {
    public var offset: Int64
    public var count: Int
    public var age: Int64
    public var digests: [UInt8]
}
