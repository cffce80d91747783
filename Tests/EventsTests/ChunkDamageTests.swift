import EventFixtures
import Fixtures
import Testing
import Values

@testable import Events

/// What is read is what was written, or an error: nothing in between, and no crash.
@Suite struct ChunkDamageTests {
    private static func chunk(_ seed: Seed, round: Int = 0) throws -> Chunk {
        let chunks = ChunkCodecTests.log(seed, round: round).chunks.map(\.chunk)
        return try #require(chunks.max { $0.count < $1.count })
    }

    @Test(arguments: ["digests", "columns", "raw", "sum"], Seed.ofThisRun)
    func `a flipped bit in a block is noticed`(block: String, seed: Seed) throws {
        var random = Random(seed)
        let stored = try Document(bson: ChunkCodec.encode(Self.chunk(seed)))
        let bytes = try #require(stored[block]?.asBinary.map(Array.init))
        for place in bytes.indices {
            var damaged = bytes
            damaged[place] ^= 1 << UInt8(random.below(8))
            var document = stored
            document[block] = .binary(damaged)
            #expect(throws: ChunkError.self, "\(block), byte \(place)") { try ChunkCodec.decode(document) }
        }
    }

    @Test(arguments: Seed.ofThisRun) func `a changed, missing or moved field of the head or the keys is noticed`(seed: Seed) throws {
        let stored = try Document(bson: ChunkCodec.encode(Self.chunk(seed)))
        for field in stored.fields where !["digests", "columns", "raw", "sum"].contains(field.name) {
            for changed in Self.changes(of: field.value) {
                var document = stored
                document[field.name] = changed
                #expect(throws: ChunkError.self, "\(field.name)") { try ChunkCodec.decode(document) }
            }
        }
        var swapped = stored
        swapped.fields.swapAt(3, 4)
        #expect(throws: ChunkError.self) { try ChunkCodec.decode(swapped) }
    }

    /// The value with one scalar changed, in every place, and no value.
    private static func changes(of value: Value) -> [Value?] {
        switch value {
        case .document(let document):
            return [nil]
                + document.fields.flatMap { field in
                    changes(of: field.value).map { change in
                        var copy = document
                        copy[field.name] = change
                        return .document(copy)
                    }
                }
        case .array(let values):
            return [nil, .array(values.dropLast()), .array(values + [1])]
                + values.indices.compactMap { index in
                    var copy = values
                    guard let change = changes(of: values[index]).compactMap({ $0 }).first else { return nil }
                    copy[index] = change
                    return .array(copy)
                }
        case .string(let text): return [nil, .string(text + "x"), .string(""), 1]
        case .int32(let number): return [nil, .int32(number - 1), .int64(Int64(number)), "x"]
        case .int64(let number): return [nil, .int64(number + 1), .double(Double(number))]
        case .date(let time): return [nil, .date(time + 1), .int64(time)]
        default: return [nil]
        }
    }

    /// With checksums that fit: it once came back as a negative offset, which could not be written again.
    @Test func `a reference beyond 64 bits with a sign is damage`() throws {
        var chunk = try Self.chunk(Seed(value: 1))
        let columns: [UInt8] = [0, 0, 0, 1, 0, 0, 0, 0] + [UInt8](repeating: 0xFF, count: 9) + [1]
        #expect(throws: ChunkError.damaged("a reference is out of range")) { try ColumnBlock.decode(columns, count: 1, into: &chunk) }
    }

    @Test(arguments: Seed.ofThisRun) func `no compressed bytes crash the reader`(seed: Seed) {
        var random = Random(seed)
        for size in [0, 1, 100, 20_000] {
            let bytes = (0..<size).map { UInt8($0 % 7) }
            let packed = Zstd.compress(bytes)
            #expect(Zstd.decompress(packed[...]) == bytes)
            for count in 0..<min(packed.count, 60) { #expect(Zstd.decompress(packed[..<count]) == nil) }
            for _ in 0..<500 {
                var damaged = packed
                damaged[random.below(damaged.count)] = UInt8(random.below(256))
                _ = Zstd.decompress(damaged[...])
            }
        }
        #expect(Zstd.decompress(Zstd.compress([UInt8](repeating: 0, count: Zstd.maximumSize + 1))[...]) == nil)
    }
}
