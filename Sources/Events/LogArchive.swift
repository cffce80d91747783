import Values

/// A stretch of a stream's log as a file: BSON documents one behind the other. A head, chunks as the log has them, each with
/// its own checksums, and an end with a digest of everything before it.
public enum LogArchive {
    static let kind = "millrace events"
    static let format: Int32 = 1
    /// The largest document: one of MongoDB's, and a little more.
    public static let mostBytes = ByteCount.mebibytes(17)

    public struct Head: Hashable, Sendable {
        /// Of the log that the chunks are from.
        public var incarnation: String
        public var stream: String
        public var partitions: Int

        public init(incarnation: String, stream: String, partitions: Int) {
            self.incarnation = incarnation
            self.stream = stream
            self.partitions = partitions
        }
    }

    public enum Part: Sendable {
        case head(Head)
        case chunk(Chunk)
        case end
    }

    static func damaged(_ what: String) -> Refusal {
        Refusal(.badInput, "the archive is damaged: \(what). Get it again: what was imported before is not imported twice")
    }
}

/// Gives the bytes of an archive, part by part.
public struct ArchiveWriter: Sendable {
    private var hasher = DigestHasher()
    private var chunks: Int64 = 0

    public init() {}

    public mutating func head(_ head: LogArchive.Head) -> [UInt8] {
        add(
            BSON.encode([
                "kind": .string(LogArchive.kind), "format": .int32(LogArchive.format), "incarnation": .string(head.incarnation),
                "stream": .string(head.stream), "partitions": .int32(Int32(head.partitions)),
            ]))
    }

    public mutating func chunk(_ chunk: Chunk) -> [UInt8] {
        chunks += 1
        return add(ChunkCodec.encode(chunk))
    }

    public mutating func end() -> [UInt8] {
        BSON.encode(["end": .int64(chunks), "digest": .string(hasher.finalize().hex)])
    }

    private mutating func add(_ bytes: [UInt8]) -> [UInt8] {
        bytes.withUnsafeBytes { hasher.combine($0) }
        return bytes
    }
}

/// Reads the documents of an archive one after the other.
public struct ArchiveReader: Sendable {
    private var hasher = DigestHasher()
    private var chunks: Int64 = 0
    private var head: LogArchive.Head?
    /// Where each partition's next chunk begins.
    private var ends: [PartitionID: Int64] = [:]
    public private(set) var isAtEnd = false

    public init() {}

    /// - Parameter bytes: of one document.
    public mutating func read(_ bytes: [UInt8]) throws(Refusal) -> LogArchive.Part {
        guard !isAtEnd else { throw LogArchive.damaged("there is something behind its end") }
        guard let document = try? Document(bson: bytes) else { throw LogArchive.damaged("document \(chunks + 1) is none") }
        if let count = document["end"]?.asInteger {
            guard head != nil, count == chunks, document["digest"] == .string(hasher.finalize().hex) else {
                throw LogArchive.damaged("it does not match its digest")
            }
            isAtEnd = true
            return .end
        }
        bytes.withUnsafeBytes { hasher.combine($0) }
        guard let head else {
            let head = try self.head(document)
            self.head = head
            return .head(head)
        }
        let chunk: Chunk
        do {
            chunk = try ChunkCodec.decode(document)
        } catch .damaged(let what) {
            throw LogArchive.damaged("chunk \(chunks + 1): \(what)")
        } catch {
            throw Refusal(.newerFormat, "chunk \(chunks + 1) of the archive: \(error)")
        }
        chunks += 1
        guard chunk.partition.stream == head.stream, (0..<head.partitions).contains(chunk.partition.number) else {
            throw LogArchive.damaged("chunk \(chunks) is of \(chunk.partition)")
        }
        guard chunk.offset == ends[chunk.partition] ?? chunk.offset else {
            throw LogArchive.damaged("\(chunk.partition) goes on at offset \(chunk.offset), not at \(ends[chunk.partition] ?? 0)")
        }
        ends[chunk.partition] = chunk.end
        return .chunk(chunk)
    }

    private func head(_ document: Document) throws(Refusal) -> LogArchive.Head {
        guard document["kind"] == .string(LogArchive.kind), let format = document["format"]?.asInteger else {
            throw Refusal(.badInput, "this is no archive of events: take a file that millrace events export has written")
        }
        guard format <= Int64(LogArchive.format) else {
            throw Refusal(.newerFormat, "the archive has format \(format), and this binary reads up to \(LogArchive.format): use the newer Millrace")
        }
        guard let incarnation = document["incarnation"]?.asString, let stream = document["stream"]?.asString,
            let partitions = document["partitions"]?.asInteger.flatMap(Int.init(exactly:)), StreamSettings.partitionRange.contains(partitions)
        else { throw LogArchive.damaged("its head lacks a field") }
        return LogArchive.Head(incarnation: incarnation, stream: stream, partitions: partitions)
    }
}
