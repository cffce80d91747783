import EventFixtures
import Fixtures
import Testing
import Values

@testable import Events

/// What is taken out of chunks, and what stays.
@Suite struct ChunkPartsTests {
    private static func stored(_ chunk: Chunk) throws -> Chunk { try ChunkCodec.decode(Document(bson: ChunkCodec.encode(chunk))) }

    @Test(arguments: Seed.ofThisRun) func `the rest of a chunk is what its elements were, and is stored like any chunk`(seed: Seed) throws {
        var random = Random(seed)
        for round in 0..<20 {
            for decoded in ChunkCodecTests.log(seed, round: round).chunks {
                let chunk = decoded.chunk
                let count = random.below(chunk.count + 1)
                let rest = try Self.stored(chunk.dropping(first: count))
                #expect(rest.offset == chunk.offset + Int64(count) && rest.end == chunk.end && rest.index == chunk.index + Int64(count))
                for place in rest.elements.indices {
                    let (element, before) = (rest.elements[place], chunk.elements[place + count])
                    #expect(element.kind == before.kind && rest.bytes(at: place) == chunk.bytes(at: place + count))
                    #expect(rest.key(of: element) == chunk.key(of: before) && rest.type(of: element) == chunk.type(of: before) && element.time == before.time)
                    #expect(rest.digests(of: place) == chunk.digests(of: place + count))
                    if element.kind == .refused { #expect(rest.refusals[Int(element.reference)] == chunk.refusals[Int(before.reference)]) }
                    if element.kind == .duplicate { #expect(element.reference == before.reference) }
                }
                // Nothing is named that no element has.
                #expect(Set(rest.keys) == Set(rest.elements.compactMap { rest.key(of: $0).map { ExactString($0) } }))
            }
        }
    }

    @Test(arguments: Seed.ofThisRun) func `of a key nothing stays, and of the others everything`(seed: Seed) throws {
        for round in 0..<20 {
            for decoded in ChunkCodecTests.log(seed, round: round).chunks {
                let chunk = decoded.chunk
                guard let key = chunk.keys.first else { continue }
                var erased = chunk
                let count = erased.erase { chunk.key(of: $0).map { ExactString($0) } == key }
                #expect(count.elements == Int64(chunk.elements.count { chunk.key(of: $0).map { ExactString($0) } == key }))
                let kept = try Self.stored(erased)
                #expect(!kept.keys.contains(key) && kept.count == chunk.count && kept.totals == chunk.totals)
                for place in chunk.elements.indices {
                    let (before, after) = (chunk.elements[place], kept.elements[place])
                    guard chunk.key(of: before).map({ ExactString($0) }) == key else {
                        #expect(
                            before.kind == after.kind && chunk.bytes(at: place) == kept.bytes(at: place) && chunk.digests(of: place) == kept.digests(of: place))
                        continue
                    }
                    #expect(after.kind == (before.kind == .event ? .erased : before.kind) && after.key < 0 && kept.bytes(at: place).isEmpty)
                    #expect(kept.digests(of: place).id == .none && kept.digests(of: place).content == .none)
                }
                var again = kept
                #expect(again.erase { kept.key(of: $0).map { ExactString($0) } == key }.elements == 0)
            }
        }
    }

    @Test func `a pruned chunk keeps its head, and says so to whoever reads more`() throws {
        let log = TestLog()
        let chunk = try #require(log.append((0..<5).map { EventText("\($0)").json }).first?.chunk)
        let stub = try Document(bson: ChunkCodec.stub(of: Document(bson: ChunkCodec.encode(chunk)), prunedBelow: 5))
        let head = try ChunkCodec.decodeHead(stub)
        #expect(head.offset == 0 && head.segment == chunk.segment && head.totals == chunk.totals && head.age == chunk.age && stub["n"] == 5)
        #expect(throws: ChunkError.pruned) { try ChunkCodec.decode(stub) }
        #expect(throws: ChunkError.pruned) { try ChunkCodec.decodeDigests(stub) }
        #expect(stub["raw"] == nil && stub["keys"] == nil)
        // Pruned further, it says another place.
        #expect(try Document(bson: ChunkCodec.stub(of: stub, prunedBelow: 9))["pruned"]?.asInteger == 9)
        var damaged = stub
        damaged["pruned"] = 4
        #expect(throws: ChunkError.self) { try ChunkCodec.decodeHead(damaged) }
    }

    @Test(arguments: Seed.ofThisRun) func `an archive gives back what was written, and notices every change`(seed: Seed) throws {
        var random = Random(seed)
        let chunks = ChunkCodecTests.log(seed, round: 1).chunks.map(\.chunk)
        var writer = ArchiveWriter()
        var parts = [writer.head(.init(incarnation: "i", stream: "test", partitions: 1))]
        parts += chunks.map { writer.chunk($0) }
        parts.append(writer.end())
        func read(_ parts: [[UInt8]]) throws -> [Chunk] {
            var reader = ArchiveReader()
            var chunks: [Chunk] = []
            for part in parts { if case .chunk(let chunk) = try reader.read(part) { chunks.append(chunk) } }
            guard reader.isAtEnd else { throw Refusal(.badInput, "no end") }
            return chunks
        }
        #expect(try read(parts).map(\.raw) == chunks.map(\.raw))
        for place in parts.indices {
            var missing = parts
            missing.remove(at: place)
            #expect(throws: Refusal.self, "without \(place)") { try read(missing) }
            for _ in 0..<20 {
                var flipped = parts
                // The zeros that close the end's digest and document mean nothing.
                let count = parts[place].count - (place == parts.count - 1 ? 2 : 0)
                flipped[place][4 + random.below(count - 4)] ^= 1 << UInt8(random.below(8))
                #expect(throws: Refusal.self, "\(place)") { try read(flipped) }
            }
        }
    }

    @Test(arguments: Seed.ofThisRun) func `merged chunks are read as they were, and what is left of each says where it is`(seed: Seed) throws {
        var random = Random(seed)
        for round in 0..<20 {
            var chunks = ChunkCodecTests.log(seed, round: round).chunks.map(\.chunk)
            if random.below(2) == 0, let key = chunks.first?.keys.first {
                for place in chunks.indices { _ = chunks[place].erase { [chunk = chunks[place]] in chunk.key(of: $0) == key.text } }
            }
            let first = random.below(chunks.count)
            let own = Array(chunks[first..<first + 1 + random.below(chunks.count - first)])
            let stored = try Document(bson: ChunkCodec.encode(merged: own))
            let read = try ChunkCodec.decodeMerged(stored)
            #expect(read.map(ChunkCodec.encode) == (try own.map { ChunkCodec.encode(try Self.stored($0)) }), "round \(round)")
            let digests = try ChunkCodec.decodeDigests(Document(stored.fields.filter { ChunkCodec.digestProjection.contains($0.name) }))
            #expect(digests.map(\.digests) == own.map(\.digests) && digests.map(\.offset) == own.map(\.offset) && digests.map(\.age) == own.map(\.age))
            let head = try ChunkCodec.decodeHead(Document(stored.fields.filter { ChunkCodec.headProjection.contains($0.name) }))
            #expect(head.totals == own[0].totals && head.index == own[0].index && head.oversize == own[0].oversize)
            #expect(stored["keys"]?.asArray?.count == own[0].keys.count && stored["n"]?.asInteger == Int64(own[0].count))
            guard own.count > 1 else { continue }
            #expect(stored["format"] == 4)
            #expect(throws: ChunkError.self) { try ChunkCodec.decode(stored) }
            var damaged = stored
            damaged["parts"] = .array(Array((stored["parts"]?.asArray ?? []).dropLast()))
            #expect(throws: ChunkError.self) { try ChunkCodec.decodeMerged(damaged) }

            let last = try Document(bson: ChunkCodec.encode(own[own.count - 1]))
            let stub = try Document(bson: ChunkCodec.stub(of: last, into: own[0].offset))
            #expect(try ChunkCodec.decodeMerged(stub).isEmpty && ChunkCodec.decodeDigests(stub).isEmpty)
            #expect(stub["into"]?.asInteger == own[0].offset && stub["keys"] == last["keys"] && stub["raw"] == nil)
            for name in ["n", "segment", "index", "at", "totals", "oversize"] { #expect(stub[name] == last[name]) }
            // Whoever has read it with other keys finds another.
            var other = last
            other["keys"] = ["another"]
            #expect(try Document(bson: ChunkCodec.stub(of: other, into: own[0].offset))["sum"] != stub["sum"])
            // Each of them can be pruned, and is nobody's part then.
            for document in [stored, stub] {
                let pruned = try Document(bson: ChunkCodec.stub(of: document, prunedBelow: 9))
                #expect(pruned["into"] == nil && pruned["parts"] == nil && pruned["keys"] == nil && pruned["format"] == 3)
                #expect(throws: ChunkError.pruned) { try ChunkCodec.decodeMerged(pruned) }
            }
        }
    }
}
