import EventFixtures
import Values

@testable import Events

/// The input's first letter says what the rest is.
enum ChunkTarget {
    static func check(_ input: [UInt8]) -> String? {
        let rest = Array(input.dropFirst())
        switch input.first {
        case UInt8(ascii: "d"): return document(rest)
        case UInt8(ascii: "e"): return edits(rest)
        case UInt8(ascii: "c"): return columns(rest)
        case UInt8(ascii: "z"): return compressed(rest)
        default: return nil
        }
    }

    /// A stored document: what is taken comes back as it is.
    private static func document(_ bytes: [UInt8]) -> String? {
        guard let document = try? Document(bson: bytes) else { return nil }
        _ = try? ChunkCodec.decodeDigests(document)
        guard let chunk = try? ChunkCodec.decode(document) else { return nil }
        guard let again = try? ChunkCodec.decode(Document(bson: ChunkCodec.encode(chunk))) else { return "a chunk that was read cannot be written" }
        return again.differences(from: chunk).isEmpty ? use(chunk) : "a chunk that was read is written as another"
    }

    static let sample: Chunk = {
        let log = TestLog()
        log.append([
            EventText("1", "created", key: "a", data: ["n": 1], occurredAt: "2026-11-20T10:00:00Z").json, EventText("2", "changed", key: "é").json, "rubbish",
            EventText("1", "created", key: "a", data: ["n": 1], occurredAt: "2026-11-20T10:00:00Z").json, EventText("1", "created", key: "b").json,
        ])
        return log.chunks[0].chunk
    }()
    private static let stored = ChunkCodec.encode(sample)

    /// Changed bytes of a good chunk, as place (two bytes) and difference: noticed, or without a meaning.
    private static func edits(_ edits: [UInt8]) -> String? {
        var bytes = stored
        for start in stride(from: 0, to: edits.count - 2, by: 3) {
            bytes[(Int(edits[start]) << 8 | Int(edits[start + 1])) % bytes.count] ^= edits[start + 2]
        }
        guard let document = try? Document(bson: bytes), let read = try? ChunkCodec.decode(document) else { return nil }
        return read.differences(from: sample).isEmpty ? nil : "damage is not noticed: \(read.differences(from: sample))"
    }

    /// Columns with checksums that fit, as a faulty writer could leave them, or somebody who means harm: how many elements,
    /// how many keys, how many raw bytes, and the block.
    private static func columns(_ bytes: [UInt8]) -> String? {
        guard bytes.count >= 3 else { return nil }
        var chunk = sample
        chunk.keys = (0..<Int(bytes[1] % 8)).map { ExactString("key \($0)") }
        chunk.raw = [UInt8](repeating: UInt8(ascii: "7"), count: Int(bytes[2]))
        chunk.digests = [UInt8](repeating: 0, count: Int(bytes[0]) * Chunk.digestBytes)
        do throws(ChunkError) { try ColumnBlock.decode(Array(bytes[3...]), count: Int(bytes[0]), into: &chunk) } catch { return nil }
        var again = chunk
        do throws(ChunkError) { try ColumnBlock.decode(ColumnBlock.encode(chunk), count: chunk.count, into: &again) } catch {
            return "columns that were read cannot be written: \(error)"
        }
        guard again.differences(from: chunk).isEmpty else { return "columns that were read are written as others" }
        return use(chunk)
    }

    /// What was taken can be used.
    private static func use(_ chunk: Chunk) -> String? {
        let decoded = DecodedChunk(parsing: chunk)
        for (place, element) in chunk.elements.enumerated() {
            _ = (chunk.type(of: element), chunk.key(of: element), chunk.raw[element.start..<(element.start + element.length)], decoded.event(at: place))
            if element.kind == .refused { _ = chunk.refusals[Int(element.reference)] }
        }
        return nil
    }

    private static func compressed(_ bytes: [UInt8]) -> String? {
        guard let plain = Zstd.decompress(bytes[...]) else { return nil }
        return Zstd.decompress(Zstd.compress(plain)[...]) == plain ? nil : "what was unpacked is packed as something else"
    }
}
