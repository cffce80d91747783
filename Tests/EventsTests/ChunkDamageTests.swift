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

    @Test(arguments: Seed.ofThisRun) func `mutated bytes give the same chunk or an error`(seed: Seed) throws {
        var random = Random(seed)
        let chunk = try Self.chunk(seed)
        let bytes = ChunkCodec.encode(chunk)
        var survivors = 0
        for _ in 0..<4000 {
            var damaged = bytes
            damaged[random.below(damaged.count)] ^= 1 << UInt8(random.below(8))
            guard let document = try? Document(bson: damaged) else { continue }
            survivors += 1
            // What carries no meaning may differ unnoticed, such as the subtype of a binary.
            if let read = try? ChunkCodec.decode(document) { #expect(read.differences(from: chunk).isEmpty) }
        }
        #expect(survivors > 100)
    }

    /// With checksums that fit: what a faulty writer could leave, or somebody who means harm.
    @Test(arguments: Seed.ofThisRun) func `no columns crash the reader`(seed: Seed) throws {
        for round in 0..<20 {
            let chunk = try Self.chunk(seed, round: round)
            let columns = ColumnBlock.encode(chunk)
            for trial in 0..<400 {
                var random = Random(seed, round: round * 1000 + trial)
                var damaged = columns
                for _ in 0...random.below(3) {
                    let place = random.below(damaged.count)
                    damaged[place] = random.pick([0, 1, 0x7F, 0x80, 0xFF, UInt8(random.below(256))])
                    if random.once(in: 4) { damaged.removeSubrange(place...) }
                    if damaged.isEmpty { break }
                }
                var read = chunk
                guard (try? ColumnBlock.decode(damaged, count: chunk.count, into: &read)) != nil else { continue }
                // What was taken can be used.
                for (place, element) in read.elements.enumerated() {
                    _ = (read.type(of: element), read.key(of: element), read.raw[element.start..<(element.start + element.length)])
                    if element.kind == .refused { _ = read.refusals[Int(element.reference)] }
                    if element.kind == .event { _ = DecodedChunk(parsing: read).event(at: place) }
                    if place > 3 { break }
                }
            }
        }
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
