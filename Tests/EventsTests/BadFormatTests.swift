import EventFixtures
import Fixtures
import Testing
import Values

@testable import Events

/// What is no event in its format: refused under its name, with what was found and what is wanted.
@Suite struct BadFormatTests {
    struct Bad: Sendable, CustomTestStringConvertible {
        var what: String
        var settings: StreamSettings
        var text: String
        var problem: Problem
        var says: String

        init(_ what: String, _ settings: StreamSettings, _ text: String, _ problem: Problem, _ says: String) {
            (self.what, self.settings, self.text, self.problem, self.says) = (what, settings, text, problem, says)
        }

        var testDescription: String { "\(what): \(problem)" }
    }

    private static let cloud = FormatTests.settings(.cloudEvents)

    private static func cloudEvent(_ change: String, without: String = "") -> String { FormatTests.cloudEvent(change, without: without) }

    private static let cloudEvents = [
        Bad("no object", cloud, "[]", .notAnObject, "found an array"),
        Bad("no version", cloud, FormatTests.cloudEvent(without: "specversion"), .unknownVersion, "specversion is missing: this stream takes CloudEvents 1.0"),
        Bad("an old version", cloud, cloudEvent(#""specversion":"0.3""#, without: "specversion"), .unknownVersion, "must be \"1.0\""),
        Bad("a version that is a number", cloud, cloudEvent(#""specversion":1.0"#, without: "specversion"), .unknownVersion, "must be \"1.0\""),
        Bad("no id", cloud, FormatTests.cloudEvent(without: "id"), .badEventId, "id is missing"),
        Bad("an id that is a number", cloud, cloudEvent(#""id":1"#, without: "id"), .badEventId, "id must be a string, found a number"),
        Bad("no source", cloud, FormatTests.cloudEvent(without: "source"), .badEventId, "source is missing"),
        Bad("a blank in the source", cloud, cloudEvent(#""source":"a b""#, without: "source"), .badEventId, "source must be a URI reference"),
        Bad("no type", cloud, FormatTests.cloudEvent(without: "type"), .badEventType, "type is missing"),
        Bad("no subject", cloud, FormatTests.cloudEvent(without: "subject"), .noKey, "subject is missing"),
        Bad("a subject that is a list", cloud, cloudEvent(#""subject":[]"#, without: "subject"), .badKey, "found an array"),
        Bad("a time that is a number", cloud, cloudEvent(#""time":1"#), .badTime, "time must be an RFC 3339 date-time"),
        Bad("two kinds of data", cloud, cloudEvent(#""data":1,"data_base64":"""#), .badValue, "data and data_base64 are both there"),
        Bad("data that is not Base64", cloud, cloudEvent(#""data_base64":"A===""#), .badValue, "data_base64 must be a string of Base64"),
        Bad("bytes that are an object", cloud, cloudEvent(#""data_base64":{}"#), .badValue, "data_base64 must be a string of Base64"),
    ]

    private static func typed(_ type: ValueType) -> StreamSettings { FormatTests.settings(.native, types: [("data.at", type)]) }

    private static func native(_ data: String) -> String { EnvelopeTests.event("\"data\":\(data)") }

    private static let types = [
        Bad("a date that is a word", typed(.date), native(#"{"at":"soon"}"#), .badValue, "$data.at must be an RFC 3339 date-time"),
        Bad("a date that is a number", typed(.date), native(#"{"at":5}"#), .badValue, "found a value of type int"),
        Bad("days that are text", typed(.epochDays), native(#"{"at":"5"}"#), .badValue, "$data.at must be an integer of days since 1970"),
        Bad("days without end", typed(.epochDays), native(#"{"at":9223372036854775807}"#), .badValue, "an integer of days"),
        Bad("a decimal that is no number", typed(.decimal), native(#"{"at":"1,5"}"#), .badValue, "a decimal number of at most 34 digits"),
        Bad("microseconds in part", typed(.epochMicros), native(#"{"at":1.5}"#), .badValue, "an integer of microseconds"),
        Bad("a date in a list", typed(.date), native(#"[{"at":null},{"at":true}]"#), .badValue, "found a value of type bool"),
        Bad(
            "a time that is text where a number is wanted", FormatTests.settings(.native, types: [("occurredAt", .epochMillis)]),
            EnvelopeTests.event(#""occurredAt":"1970-01-01T00:00:00Z""#), .badTime, "occurredAt must be an integer of milliseconds since 1970"),
    ]

    @Test(arguments: cloudEvents + types) func `an element that is no event in its format`(bad: Bad) throws {
        let chunk = try #require(TestLog(settings: bad.settings).append([bad.text]).first).chunk
        let refusal = try #require(chunk.refusals.first)
        #expect(chunk.elements.map(\.kind) == [.refused])
        #expect(refusal.problem == bad.problem)
        #expect(refusal.message.contains(bad.says), "\(refusal)")
    }

    @Test(arguments: [
        (#"{"t":"t","k":"k"}"#, Problem.badEventId, "/m/id is missing"), (#"{"m":{"id":1},"t":"t","k":"k"}"#, .badEventId, "/m/id must be a string"),
        (#"{"m":{"id":"1"},"k":"k"}"#, .badEventType, "/t is missing"), (#"{"m":{"id":"1"},"t":"t"}"#, .noKey, "/k is missing"),
        (#"{"m":{"id":"1"},"t":"t","k":{}}"#, .badKey, "found an object"), (#"{"m":{"id":"1"},"t":"t","k":"k","at":1}"#, .badTime, "/at must be an RFC 3339"),
    ]) func `pointers that lead nowhere`(text: String, problem: Problem, says: String) throws {
        let settings = FormatTests.settings(try FormatTests.pointers(["eventId": "/m/id", "eventType": "/t", "key": "/k", "occurredAt": "/at"]))
        let refusal = try #require(TestLog(settings: settings).append([text]).first?.chunk.refusals.first)
        #expect(refusal.problem == problem)
        #expect(refusal.message.contains(says), "\(refusal)")
    }
}
