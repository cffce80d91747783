import EventFixtures
import Fixtures
import Testing
import Values

@testable import Events

@Suite struct ChunkCodecTests {
    /// A random log of several chunks, with oversize elements in it.
    static func log(_ seed: Seed, round: Int) -> TestLog {
        var random = Random(seed, round: round)
        var settings = TestLog.settings
        settings.chunkEvents = 1 + random.below(40)
        settings.partitions = random.pick([1, 1, 3])
        settings.maxEventBytes = .kibibytes(1)
        let log = TestLog(settings: settings)
        var texts = random.texts(80)
        texts.insert(EventText("large", data: .string(String(repeating: "x", count: 3000))).json, at: random.below(texts.count))
        log.append(RawElements(texts, limit: settings.maxEventBytes))
        log.clock += Int64(random.below(100_000))
        log.append(random.texts(20))
        return log
    }

    @Test(arguments: Seed.ofThisRun) func `random chunks come back as they were, event by event`(seed: Seed) throws {
        for round in 0..<40 {
            for written in Self.log(seed, round: round).chunks {
                let chunk = try ChunkCodec.decode(Document(bson: ChunkCodec.encode(written.chunk)))
                #expect(chunk.differences(from: written.chunk).isEmpty, "round \(round)")
                let read = DecodedChunk(parsing: chunk)
                for place in chunk.elements.indices {
                    let (before, after) = (written.event(at: place), read.event(at: place))
                    #expect((before != nil) == (chunk.elements[place].kind == .event))
                    #expect(before?.type == after?.type && before?.key == after?.key && before?.time == after?.time)
                    #expect(before?.root.value == after?.root.value, "round \(round), \(place)")
                }
            }
        }
    }

    @Test func `the stored document has the fields that are documented`() throws {
        let chunk = try #require(TestLog().append([EventText("1", key: "a").json, EventText("2", key: "b").json]).first).chunk
        let document = try Document(bson: ChunkCodec.encode(chunk))
        #expect(
            document.fields.map(\.name)
                == ["_id", "format", "n", "segment", "index", "at", "age", "totals", "keys", "digests", "columns", "raw", "sum"])
        #expect(document["_id"] == ["s": "test", "p": 0, "o": .int64(0)])
        #expect(document["n"] == 2 && document["format"] == 1 && document["keys"] == ["a", "b"] && document["at"] == .date(1_000_000))
        #expect(document["totals"] == ["received": .int64(2), "duplicates": .int64(0), "undecodable": .int64(0)])
        #expect(document["digests"]?.asBinary?.count == 64 && document["sum"]?.asBinary?.count == 64)
        #expect(ChunkCodec.id(chunk.partition, 0) == document["_id"]?.asDocument)
    }

    @Test func `head and digests are read without the blocks`() throws {
        let log = Self.log(Seed.ofThisRun[0], round: 0)
        for chunk in log.chunks.map(\.chunk) {
            let stored = try Document(bson: ChunkCodec.encode(chunk))
            func only(_ names: [String]) -> Document { Document(stored.fields.filter { names.contains($0.name) }) }
            let head = try ChunkCodec.decodeHead(only(ChunkCodec.headProjection))
            #expect(head.differences(from: chunk).allSatisfy { ["elements", "keys", "types", "refusals", "digests", "raw"].contains($0) })
            let digests = try ChunkCodec.decodeDigests(only(ChunkCodec.digestProjection))[0]
            #expect(digests.offset == chunk.offset && digests.count == chunk.count && digests.age == chunk.age && digests.digests == chunk.digests)
            #expect(only(ChunkCodec.digestProjection)["raw"] == nil)
        }
    }

    @Test func `a newer format is refused before anything else is looked at`() throws {
        let document: Document = ["format": 5, "_id": "whatever it may be then"]
        for decode in [{ _ = try ChunkCodec.decode($0) }, { _ = try ChunkCodec.decodeDigests($0) }, { _ = try ChunkCodec.decodeHead($0) }]
            as [(Document) throws -> Void]
        {
            #expect(throws: ChunkError.newerFormat(5)) { try decode(document) }
        }
        #expect(ChunkError.newerFormat(5).description.contains("format 5 is newer than 4"))
    }

    @Test func `how events are read is stored where it is not the plain way, which older versions refuse`() throws {
        var settings = TestLog.settings
        settings.shape.format = .cloudEvents
        settings.shape.types = try #require(TypeTree([(["data", "a.b", "c"], .date), (["data", ""], .epochDays)]))
        let chunk = try #require(TestLog(settings: settings).append(["{}"]).first).chunk
        let document = try Document(bson: ChunkCodec.encode(chunk))
        #expect(document["format"] == 2)
        #expect(
            document["shape"] == ["format": "cloudevents", "types": [[["data", ""], "epochDays"], [["data", "a.b", "c"], "date"]]])
        #expect(try ChunkCodec.decode(document).shape == settings.shape && ChunkCodec.decodeHead(document).shape == settings.shape)
        // Not guessed at, and covered by the head's checksum.
        for shape: Value? in [
            nil, ["format": "avro"], ["format": "pointers"], ["format": "native"], ["format": "cloudevents", "types": [[["data"], "date"]]],
        ] {
            var other = document
            other["shape"] = shape
            #expect(throws: ChunkError.self, "\(String(describing: shape))") { try ChunkCodec.decodeHead(other) }
        }
    }
}
