import EventFixtures
import Fixtures
import Testing
import Values

@testable import Events

/// What `$name.path…` reads, as MongoDB 6.0 reads a field path in an aggregation expression.
@Suite struct EventTests {
    private static let text =
        #"{"eventId":"e1","eventType":"priced","key":7,"occurredAt":"1970-01-01T00:00:02Z","schemaVersion":3,"extra":true,"#
        + #""data":{"amount":1.5,"big":5000000000,"none":null,"tags":["a","b"],"#
        + #""items":[{"x":1},{"x":[2,3]},{"y":4},5,[{"x":6}]],"deep":[{"in":[{"x":1},{"x":2}]},{"in":{"x":3}}],"0":"zero","":"empty"}}"#

    static let paths: [(Event.MemberName, [String], Value?)] = [
        (.eventId, [], "e1"), (.eventType, [], "priced"), (.key, [], "7"), (.occurredAt, [], .date(2000)), (.schemaVersion, [], 3),
        (.eventType, ["x"], nil), (.key, ["x"], nil), (.occurredAt, ["x"], nil), (.eventId, ["x"], nil), (.before, [], nil),
        (.data, ["amount"], 1.5), (.data, ["big"], .int64(5_000_000_000)), (.data, ["none"], .null), (.data, ["none", "x"], nil), (.data, ["absent"], nil),
        (.data, ["amount", "x"], nil), (.data, ["tags"], ["a", "b"]), (.data, ["tags", "0"], []), (.data, ["0"], "zero"), (.data, [""], "empty"),
        (.element, ["extra"], true), (.element, ["data", "tags"], ["a", "b"]),
        // A name applied to an array is applied to its objects, not to arrays among its elements.
        (.data, ["items", "x"], [1, [2, 3]]), (.data, ["items", "z"], []), (.data, ["deep", "in", "x"], [[1, 2], 3]),
    ]

    @Test func `paths into an event`() throws {
        let chunk = try #require(TestLog().append([Self.text]).first)
        let event = try #require(chunk.event(at: 0))
        for (name, path, expected) in Self.paths { #expect(event.value(name, path) == expected, "$\(name) \(path)") }
        #expect(Event.MemberName.allCases.filter { event.value($0, []) == nil } == [.before, .after, .row, .op])
    }

    @Test func `an event without a time has none`() throws {
        let chunk = try #require(TestLog().append([EventText("i").json]).first)
        #expect(try #require(chunk.event(at: 0)).value(.occurredAt, []) == nil)
    }

    @Test func `a key that comes from elsewhere is the key`() throws {
        var settings = TestLog.settings
        settings.key = .path(["data", "id"])
        let chunk = try #require(TestLog(settings: settings).append([EventText("i", key: "own", data: ["id": 12]).json]).first)
        #expect(try #require(chunk.event(at: 0)).value(.key, []) == "12")
    }
}
