import EventFixtures
import Testing
import Values

@testable import Events

/// Rule 10: the window is measured along the log, by age and by originals, element by element.
@Suite struct DedupeBoundsTests {
    private func kinds(_ chunks: [DecodedChunk]) -> [Chunk.Element.Kind] { chunks.flatMap(\.chunk.elements).map(\.kind) }

    @Test(arguments: [(0, .duplicate), (1000, .duplicate), (1001, .event)] as [(Int64, Chunk.Element.Kind)])
    func `an id counts up to its age`(milliseconds: Int64, expected: Chunk.Element.Kind) {
        let log = TestLog(bounds: .init(age: 1000, originals: 100))
        log.append([EventText("1").json])
        log.clock += milliseconds
        #expect(kinds(log.append([EventText("1").json])) == [expected])
    }

    @Test func `a pause makes no id older than a minute`() {
        let log = TestLog(bounds: .init(age: 60_000, originals: 100))
        log.append([EventText("1").json])
        log.clock += 30 * 86_400_000
        #expect(kinds(log.append([EventText("1").json])) == [.duplicate])
        log.clock += 1
        #expect(kinds(log.append([EventText("1").json])) == [.event])
    }

    @Test(arguments: [(0, Chunk.Element.Kind.duplicate), (3, .duplicate), (4, .event)])
    func `an id counts while so many originals lie between`(between: Int, expected: Chunk.Element.Kind) {
        let log = TestLog(bounds: .init(age: .max, originals: 3))
        // Markers and rubbish take no place.
        let others = (0..<between).flatMap { [EventText("other-\($0)").json, "rubbish", EventText("other-\($0)").json] }
        #expect(kinds(log.append([EventText("1").json] + others + [EventText("1").json])).last == expected)
    }

    @Test func `an id that has left the window may come again, and then counts from there`() {
        let log = TestLog(bounds: .init(age: .max, originals: 1))
        let chunks = log.append(["1", "2", "3", "1", "4", "1"].map { EventText($0).json })
        #expect(kinds(chunks) == [.event, .event, .event, .event, .event, .duplicate])
        #expect(chunks[0].chunk.elements.last?.reference == 3)
    }

    @Test func `the wider bound of an adopted segment holds whatever the age`() {
        let bounds = DedupeWindow.Bounds(age: 0, originals: 1, originalsAtAnyAge: 4)
        #expect(bounds.capacity == 4)
        let log = TestLog(bounds: bounds)
        log.append((1...4).map { EventText("\($0)").json })
        log.clock += 50_000
        #expect(kinds(log.append((1...4).map { EventText("\($0)").json })) == [.duplicate, .duplicate, .duplicate, .duplicate])
        #expect(kinds(log.append([EventText("5").json, EventText("1").json])) == [.event, .event])
    }
}
