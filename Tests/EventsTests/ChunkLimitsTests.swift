import EventFixtures
import Testing
import Values

@testable import Events

@Suite struct ChunkLimitsTests {
    @Test(arguments: [(1, [1, 1, 1, 1, 1, 1, 1]), (3, [3, 3, 1]), (7, [7]), (100, [7])])
    func `a chunk ends at its number of events`(limit: Int, expected: [Int]) {
        var settings = TestLog.settings
        settings.chunkEvents = limit
        let chunks = TestLog(settings: settings).append((0..<7).map { EventText("\($0)").json }).map(\.chunk)
        #expect(chunks.map(\.count) == expected)
        #expect(chunks.map(\.offset) == chunks.map(\.index))
        #expect(chunks.last?.totals.received == 7)
        #expect(zip(chunks, chunks.dropFirst()).allSatisfy { $0.end == $1.offset })
    }

    @Test func `a chunk ends before it has too many bytes, and has at least one element`() {
        let text = EventText("0", data: .string(String(repeating: "x", count: 100))).json
        var settings = TestLog.settings
        settings.chunkBytes = ByteCount(text.utf8.count * 3)
        let small = (0..<7).map { EventText("\($0)", data: .string(String(repeating: "x", count: 100))).json }
        #expect(TestLog(settings: settings).append(small).map(\.chunk.count) == [3, 3, 1])
        settings.chunkBytes = ByteCount(text.utf8.count * 3 - 1)
        #expect(TestLog(settings: settings).append(small).map(\.chunk.count) == [2, 2, 2, 1])
        settings.chunkBytes = ByteCount(10)
        #expect(TestLog(settings: settings).append(small).map(\.chunk.count) == [1, 1, 1, 1, 1, 1, 1])
    }

    @Test func `the types and keys of each chunk stand alone`() {
        var settings = TestLog.settings
        settings.chunkEvents = 2
        let texts = [("1", "a", "x"), ("2", "b", "x"), ("3", "b", "y"), ("4", "b", "x")].map { EventText($0.0, $0.1, key: .string($0.2)).json }
        let chunks = TestLog(settings: settings).append(texts).map(\.chunk)
        #expect(chunks.map { $0.types.map(\.text) } == [["a", "b"], ["b"]])
        #expect(chunks.map { $0.keys.map(\.text) } == [["x"], ["y", "x"]])
    }

    @Test func `an element above the limit is refused, found again and kept by its head`() throws {
        var settings = TestLog.settings
        settings.maxEventBytes = .kibibytes(1)
        settings.chunkEvents = 3
        let large = EventText("large", data: .string(String(repeating: "x", count: 100_000))).json
        let slightly = EventText("slightly", data: .string(String(repeating: "y", count: 1200))).json
        let elements = RawElements([EventText("1").json, large, EventText("2").json, slightly, EventText("3").json], limit: settings.maxEventBytes)
        let chunks = TestLog(settings: settings).append(elements).map(\.chunk)

        #expect(chunks.flatMap(\.elements).map(\.kind) == [.event, .refused, .event, .refused, .event])
        #expect(chunks.map(\.oversize) == [[1], [3]])
        #expect(chunks.last?.totals == LogTotals(received: 5, duplicates: 0, undecodable: 2))
        let refusal = try #require(chunks[0].refusals.first)
        #expect(refusal.problem == .oversize)
        #expect(refusal.message.contains("\(large.utf8.count) bytes"))
        #expect(refusal.message.contains("events:{test}:oversize"))
        #expect(refusal.message.contains(Digest(of: large.utf8).hex))
        let element = chunks[0].elements[1]
        #expect(Array(chunks[0].raw[element.start..<(element.start + element.length)]) == Array(large.utf8.prefix(65_536)))
        // A head that is all of the element, and would parse, is refused just the same.
        #expect(chunks[1].elements[0].length == slightly.utf8.count)
    }
}
