import EventFixtures
import Fixtures
import Testing
import Values

@testable import Events

/// What an element can be that is no event. Each lies between two good ones: it is refused under its name, with what was
/// found and what is wanted, its bytes are kept, and its neighbours are what they would be without it.
@Suite struct BadElementsTests {
    struct Bad: Sendable, CustomTestStringConvertible {
        var what: String
        var bytes: [UInt8]
        var problem: Problem
        var says: String

        init(_ what: String, _ text: String, _ problem: Problem, _ says: String) { self.init(what, Array(text.utf8), problem, says) }

        init(_ what: String, _ text: String, _ problem: JSONProblem) { self.init(what, Array(text.utf8), problem) }

        init(_ what: String, _ bytes: [UInt8], _ problem: JSONProblem) { self.init(what, bytes, Problem(problem), problem.explanation) }

        private init(_ what: String, _ bytes: [UInt8], _ problem: Problem, _ says: String) {
            (self.what, self.bytes, self.problem, self.says) = (what, bytes, problem, says)
        }

        var testDescription: String { "\(what): \(problem)" }
    }

    private static func event(_ change: String = "", without name: String = "") -> String {
        change.isEmpty ? EnvelopeTests.event(without: name) : EnvelopeTests.event(change, without: name)
    }

    private static func long(_ count: Int) -> String { String(repeating: "x", count: count) }

    private static let noJSON = [
        Bad("no byte", "", .empty), Bad("blanks", "  ", .empty), Bad("line ends", "\r\n\n", .empty),
        Bad("an object that ends early", "{", .syntax), Bad("an event that ends early", #"{"eventId":"i","eventType":"t","ke"#, .syntax),
        Bad("an event and something more", event() + "{}", .syntax), Bad("two events", event() + event(), .syntax),
        Bad("a byte order mark", "\u{feff}" + event(), .syntax), Bad("NUL behind the event", event() + "\0", .syntax),
        Bad("a raw control character in a string", event("\"a\":\"\u{1}\""), .syntax), Bad("a raw line end in a string", event("\"a\":\"\n\""), .syntax),
        Bad("single quotes", "{'eventId':'i'}", .syntax), Bad("a comment", event() + " // late", .syntax),
        Bad("a trailing comma", #"{"eventId":"i",}"#, .syntax),
        Bad("a name without quotes", "{eventId:1}", .syntax), Bad("NaN", event("\"a\":NaN"), .syntax), Bad("Infinity", event("\"a\":Infinity"), .syntax),
        Bad("a plus sign", event("\"a\":+1"), .syntax), Bad("no digit before the point", event("\"a\":.5"), .syntax),
        Bad("a hexadecimal number", event("\"a\":0x10"), .badNumber), Bad("a leading zero", event("\"a\":01"), .badNumber),
        Bad("no digit behind the point", event("\"a\":1."), .badNumber), Bad("an integer beyond int64", event("\"a\":9223372036854775808"), .badNumber),
        Bad("a number beyond double", event("\"a\":1e999"), .badNumber), Bad("a bad escape", event("\"a\":\"\\x\""), .badString),
        Bad("an unpaired surrogate", event("\"a\":\"\\ud800\""), .badString), Bad("a name twice", event("\"a\":1,\"\\u0061\":2"), .duplicateName),
        Bad("the event's own name twice", event("\"key\":\"k\""), .duplicateName), Bad("NUL in a name", event("\"a\\u0000\":1"), .nulInName),
        Bad("a thousand levels and more", event("\"a\":" + String(repeating: "[", count: 1100) + String(repeating: "]", count: 1100)), .tooDeep),
        Bad("a lone continuation byte", Array(event("\"a\":\"").utf8) + [0x80] + Array("\"}".utf8), .notUTF8),
        Bad("a surrogate as bytes", [0x22, 0xED, 0xA0, 0x80, 0x22], .notUTF8), Bad("UTF-16", [0xFF, 0xFE, 0x7B, 0, 0x7D, 0], .notUTF8),
        Bad("bytes of a program", [0x7F, 0x45, 0x4C, 0x46, 2, 1, 1], .syntax),
    ]

    private static let noEvent = [
        Bad("an array", "[1,2]", .notAnObject, "found an array"), Bad("a text", "\"text\"", .notAnObject, "found a string"),
        Bad("null", "null", .notAnObject, "found null"), Bad("a number", "42", .notAnObject, "found a number"),
        Bad("true", "true", .notAnObject, "found a boolean"), Bad("nothing in it", "{}", .badEventId, "eventId is missing"),
        Bad("no eventId", event(without: "eventId"), .badEventId, "eventId is missing"),
        Bad("an eventId that is null", event("\"eventId\":null", without: "eventId"), .badEventId, "found null"),
        Bad("an eventId that is a number", event("\"eventId\":7", without: "eventId"), .badEventId, "found a number"),
        Bad("an eventId that is an object", event("\"eventId\":{}", without: "eventId"), .badEventId, "found an object"),
        Bad("an empty eventId", event("\"eventId\":\"\"", without: "eventId"), .badEventId, "1 to 256 bytes, has 0"),
        Bad("a long eventId", event("\"eventId\":\"\(long(257))\"", without: "eventId"), .badEventId, "has 257"),
        Bad("eventId in other letters", event("\"eventid\":\"i\"", without: "eventId"), .badEventId, "eventId is missing"),
        Bad("no eventType", event(without: "eventType"), .badEventType, "eventType is missing"),
        Bad("an eventType that is an object", event("\"eventType\":{}", without: "eventType"), .badEventType, "found an object"),
        Bad("an empty eventType", event("\"eventType\":\"\"", without: "eventType"), .badEventType, "has 0"),
        Bad(
            "an eventType too long in bytes", event("\"eventType\":\"\(String(repeating: "é", count: 129))\"", without: "eventType"), .badEventType, "has 258"
        ),
        Bad("no key", event(without: "key"), .noKey, "key is missing"), Bad("a key that is null", event("\"key\":null", without: "key"), .badKey, "found null"),
        Bad("a key that is a fraction", event("\"key\":1.5", without: "key"), .badKey, "found a number"),
        Bad("a key that is true", event("\"key\":true", without: "key"), .badKey, "found a boolean"),
        Bad("a key that is a list", event("\"key\":[\"k\"]", without: "key"), .badKey, "found an array"),
        Bad("a key that is a condition", event("\"key\":{\"$gt\":\"\"}", without: "key"), .badKey, "must be a string or an integer, found an object"),
        Bad("an empty key", event("\"key\":\"\"", without: "key"), .badKey, "1 to 512 bytes, has 0"),
        Bad("a key of two kilobytes", event("\"key\":\"\(long(2048))\"", without: "key"), .badKey, "has 2048"),
        Bad("a key one byte too long", event("\"key\":\"\(long(513))\"", without: "key"), .badKey, "has 513"),
        Bad("NUL in the key", event("\"key\":\"a\\u0000b\"", without: "key"), .badKey, "holds NUL"),
        Bad("a time that is a word", event("\"occurredAt\":\"yesterday\""), .badTime, "RFC 3339 date-time such as 2026-11-20T10:00:00.000Z"),
        Bad("a time that is a number", event("\"occurredAt\":1700000000000"), .badTime, "RFC 3339"),
        Bad("a day that there is not", event("\"occurredAt\":\"2026-02-30T00:00:00Z\""), .badTime, "RFC 3339"),
        Bad("a time that is a list", event("\"occurredAt\":[]"), .badTime, "RFC 3339"),
        Bad("a used id", EventText("before", data: 2).json, .idReused, "offset 0 with other content: give each event an id of its own"),
        Bad("one byte too many", EventText("i", data: .string(long(4096 - EventText("i", data: "").json.utf8.count + 1))).json, .oversize, "has 4097 bytes"),
    ]

    @Test(arguments: noJSON + noEvent) func `an element that is no event is refused, and its neighbours are not`(bad: Bad) throws {
        let (before, after) = (EventText("before", data: 1).json, EventText("after", data: 1).json)
        var elements = RawElements()
        for bytes in [Array(before.utf8), bad.bytes, Array(after.utf8)] { bytes.withUnsafeBytes { elements.append($0, limit: .kibibytes(4)) } }
        var settings = TestLog.settings
        settings.maxEventBytes = .kibibytes(4)
        let decoded = try #require(TestLog(settings: settings).append(elements).first)
        let chunk = decoded.chunk
        #expect(chunk.elements.map(\.kind) == [.event, .refused, .event])
        let refusal = try #require(chunk.refusals.first)
        #expect(refusal.problem == bad.problem)
        #expect(refusal.message.contains(bad.says), "\(refusal)")
        #expect(refusal.message.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control })
        #expect(chunk.raw == Array(before.utf8) + bad.bytes + Array(after.utf8))
        let ids = withExtendedLifetime(decoded) { [0, 2].map { decoded.event(at: $0)?.root.member("eventId")?.string } }
        #expect(ids == ["before", "after"])
    }

    /// What looks bad, and is data like any other.
    @Test(arguments: [
        "$ne", "a.b", "../x", "😀", "\u{202e}abc", " ", "-5", "NULL", "{}", "'; DROP TABLE users; --", "é", "e\u{301}", "\u{7f}", "\u{1f}", "system.users",
    ])
    func `a key that looks odd is plain data`(key: String) throws {
        let event = EventText("i", "$set", key: .string(key), data: ["$where": "1", "_id": 2, "__proto__": [:], "": 3, "a.b": 4, "nul": "a\u{0}b"])
        let decoded = try #require(TestLog().append([event.json]).first)
        let chunk = try ChunkCodec.decode(Document(bson: ChunkCodec.encode(decoded.chunk)))
        let parsed = DecodedChunk(parsing: chunk)
        try withExtendedLifetime(parsed) {
            let read = try #require(parsed.event(at: 0))
            #expect(read.key.utf8.elementsEqual(key.utf8) && read.type == "$set")
            #expect(read.root.member("data")?.value == event.data)
        }
    }
}
