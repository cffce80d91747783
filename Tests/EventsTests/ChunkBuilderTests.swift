import EventFixtures
import Fixtures
import Testing
import Values

@testable import Events

@Suite struct ChunkBuilderTests {
    @Test func `events, a duplicate, a reused id and a broken element`() throws {
        let log = TestLog()
        log.append([EventText("old", "a", key: "z").json])
        let texts = [
            EventText("1", "created", key: "k1", occurredAt: "1970-01-01T00:00:05Z").json, EventText("2", "changed", key: "k2").json,
            EventText("1", "created", key: "k1", occurredAt: "1970-01-01T00:00:05Z").json, EventText("1", "created", key: "k1").json, "{",
            EventText("old", "a", key: "z").json,
            EventText("3", "created", key: "k2").json,
        ]
        let chunk = try #require(log.append(texts).first).chunk

        #expect(chunk.offset == 1 && chunk.end == 8 && chunk.count == 7)
        #expect(chunk.elements.map(\.kind) == [.event, .event, .duplicate, .refused, .refused, .duplicate, .event])
        #expect(chunk.totals == LogTotals(received: 8, duplicates: 2, undecodable: 2))
        #expect(chunk.totals.logged == 6 && chunk.totals.originals == 4)
        #expect(chunk.keys.map(\.text) == ["k1", "k2", "z"] && chunk.types.map(\.text) == ["created", "changed", "a"])
        #expect(chunk.elements.map(chunk.key(of:)) == ["k1", "k2", "k1", "k1", nil, "z", "k2"])
        #expect(chunk.elements.map(chunk.type(of:)) == ["created", "changed", "created", "created", nil, "a", "created"])
        #expect(chunk.elements.map(chunk.time(of:)) == [5000, nil, 5000, nil, nil, nil, nil])
        // A marker names the original, in this chunk or another; a refusal says why.
        #expect(chunk.elements[2].reference == 1 && chunk.elements[5].reference == 0)
        #expect(chunk.refusals.map(\.problem) == [.idReused, Problem(rawValue: "bad-json")])
        #expect(chunk.elements[3].reference == 0 && chunk.elements[4].reference == 1)
        #expect(chunk.refusals[0].message.contains("offset 1 "))
    }

    @Test func `a marker keeps no bytes, everything else all of them`() throws {
        let texts = [EventText("1").json, EventText("1").json, "not json", EventText("2").json]
        let chunk = try #require(TestLog().append(texts).first).chunk
        let kept = chunk.elements.map { String(decoding: chunk.raw[$0.start..<($0.start + $0.length)], as: UTF8.self) }
        #expect(kept == [texts[0], "", texts[2], texts[3]])
        #expect(chunk.raw.count == texts[0].utf8.count + texts[2].utf8.count + texts[3].utf8.count)
    }

    @Test func `only originals have digests and take a place in the window`() throws {
        let log = TestLog()
        let chunk = try #require(log.append([EventText("1").json, EventText("1").json, "{}", EventText("1", "other").json, EventText("2").json]).first).chunk
        #expect(log.window.count == 2)
        #expect(chunk.digests.count == 5 * Chunk.digestBytes)
        for place in 1...3 { #expect(chunk.digests(of: place) == (.none, .none)) }
        #expect(chunk.digests(of: 0).id == Digest(of: "1".utf8) && chunk.digests(of: 4).id == Digest(of: "2".utf8))
        #expect(chunk.digests(of: 0).content != chunk.digests(of: 4).content)
    }

    @Test func `the same content in another spelling is a duplicate, and any other content is not`() throws {
        let text = #"{"eventId":"1","eventType":"t","key":"k","data":{"a":1,"b":"é"}}"#
        let spelt = #" { "eventId":"1", "eventType":"\u0074", "key":"k", "data":{"a":1, "b":"\u00e9"} } "#
        let others = [
            #"{"eventId":"1","eventType":"t","key":"k","data":{"a":1.0,"b":"é"}}"#, #"{"eventId":"1","eventType":"t","key":"k","data":{"b":"é","a":1}}"#,
            #"{"eventId":"1","eventType":"t","key":"k2","data":{"a":1,"b":"é"}}"#,
            #"{"eventId":"1","eventType":"t","key":"k","data":{"a":1,"b":"é"},"schemaVersion":1}"#,
        ]
        let chunk = try #require(TestLog().append([text, spelt] + others).first).chunk
        #expect(chunk.elements.map(\.kind) == [.event, .duplicate, .refused, .refused, .refused, .refused])
        #expect(chunk.refusals.map(\.problem) == [.idReused])
    }

    @Test func `an element in another partition's list is refused with the name of the right one`() throws {
        var settings = TestLog.settings
        settings.partitions = 4
        let keys = (0..<40).map { "key-\($0)" }
        let chunk = try #require(TestLog(settings: settings, partition: 2).append(keys.map { EventText($0, key: .string($0)).json }).first).chunk
        var right: Set<Int> = []
        for (key, element) in zip(keys, chunk.elements) {
            let partition = Partitioning.partition(of: key.utf8, count: 4)
            right.insert(partition)
            #expect((element.kind == .event) == (partition == 2), "\(key)")
            guard element.kind == .refused else { continue }
            let refusal = chunk.refusals[Int(element.reference)]
            #expect(refusal.problem == .wrongPartition)
            #expect(refusal.message.contains("push it onto \(settings.list(of: partition)), not events:{test.2}"))
            #expect(chunk.key(of: element) == key)
        }
        #expect(right == [0, 1, 2, 3])
        #expect(chunk.refusals.count == 3)
        // Refused elements are no originals: the right list may still bring them.
        #expect(chunk.totals.originals == chunk.elements.count { $0.kind == .event })
    }

    /// Swift's `String` finds é equal to e and a combining accent; MongoDB and everybody else's keys do not.
    @Test func `keys and types that only look alike stay apart`() throws {
        let texts = [("1", "é", "é"), ("2", "e\u{301}", "e\u{301}"), ("3", "é", "e\u{301}")].map { EventText($0.0, $0.1, key: .string($0.2)).json }
        let chunk = try #require(TestLog().append(texts).first)
        let events = chunk.chunk.elements.indices.compactMap(chunk.event(at:))
        #expect(events.map { Array($0.key.utf8) } == ["é", "e\u{301}", "e\u{301}"].map { Array($0.utf8) })
        #expect(events.map { Array($0.type.text.utf8) } == ["é", "e\u{301}", "é"].map { Array($0.utf8) })
    }

    @Test(arguments: Seed.ofThisRun) func `a chunk that was rolled back is decided the same again`(seed: Seed) {
        for round in 0..<50 {
            var random = Random(seed, round: round)
            let log = TestLog()
            log.append(random.texts(60))
            let elements = RawElements(random.texts(60))
            let tape = elements.parse()
            let place = ChunkBuilder.Place(offset: log.end, totals: log.chunks[0].chunk.totals, segment: "s", index: 0, at: log.clock, age: 0)
            let builder = ChunkBuilder(settings: log.settings, partition: log.partition)
            let mark = log.window.mark
            let first = builder.build(elements, tape, from: 0, at: place, window: log.window)
            log.window.rollback(to: mark)
            let second = builder.build(elements, tape, from: 0, at: place, window: log.window)
            #expect(first.differences(from: second).isEmpty, "round \(round)")
        }
    }
}
