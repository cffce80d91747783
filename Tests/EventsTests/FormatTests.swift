import EventFixtures
import Fixtures
import Testing
import Values

@testable import Events

/// Which event an element is in each format, and what the fold reads of it.
@Suite struct FormatTests {
    /// An element and what becomes of it.
    struct Case: Sendable, CustomTestStringConvertible {
        var what: String
        var settings: StreamSettings
        var text: String
        var type: String
        var key: String
        var time: Int64?
        /// By path, without the dollar; nil where it is missing.
        var members: [(String, Value?)]

        var testDescription: String { what }
    }

    static func settings(_ format: EventFormat, key: KeySource = .envelope, types: [(String, ValueType)] = []) -> StreamSettings {
        var settings = TestLog.settings
        settings.shape.format = format
        settings.key = key
        settings.shape.types = TypeTree(types.map { path, type in (path.split(separator: ".").map(String.init), type) }) ?? TypeTree()
        return settings
    }

    static func pointers(_ places: [String: String]) throws -> EventFormat {
        func pointer(_ name: String) throws -> JSONPointer? { try places[name].map { try #require(JSONPointer($0)) } }
        var pointers = EventPointers(eventId: try #require(try pointer("eventId")), eventType: try #require(try pointer("eventType")))
        pointers.key = try pointer("key")
        pointers.occurredAt = try pointer("occurredAt")
        pointers.schemaVersion = try pointer("schemaVersion")
        pointers.data = try pointer("data")
        return .pointers(pointers)
    }

    static func cloudEvent(_ changes: String..., without: String = "") -> String {
        let members = [#""specversion":"1.0""#, #""id":"1""#, #""source":"/shop""#, #""type":"priced""#, #""subject":"p-1""#]
        return "{" + (members.filter { without.isEmpty || !$0.hasPrefix("\"\(without)\"") } + changes).joined(separator: ",") + "}"
    }

    static let cases: [Case] = [
        Case(
            what: "a CloudEvent", settings: settings(.cloudEvents),
            text: cloudEvent(
                #""time":"1970-01-01T00:00:02Z""#, #""datacontenttype":"application/json""#, #""dataschema":"https://s/2""#, #""schemaversion":2"#,
                #""traceparent":"00-1""#, #""data":{"amount":1.5,"lines":[{"n":1},{"n":2}]}"#),
            type: "priced", key: "p-1", time: 2000,
            members: [
                ("eventId", "/shop 1"), ("data.amount", 1.5), ("data.lines.n", [1, 2]), ("schemaVersion", 2), ("element.dataschema", "https://s/2"),
                ("element.traceparent", "00-1"), ("data.none", nil), ("eventId.x", nil),
            ]),
        Case(
            what: "a CloudEvent with bytes, and without a time", settings: settings(.cloudEvents), text: cloudEvent(#""data_base64":"AAEC/w==""#),
            type: "priced", key: "p-1", time: nil,
            members: [("data", .binary([0, 1, 2, 255])), ("data.x", nil), ("schemaVersion", nil), ("occurredAt", nil)]),
        Case(
            what: "a CloudEvent with the key in its data", settings: settings(.cloudEvents, key: .path(["data", "id"])),
            text: cloudEvent(#""data":{"id":17}"#, without: "subject"), type: "priced", key: "17", time: nil, members: [("key", "17")]),
        Case(
            what: "a CloudEvent without data", settings: settings(.cloudEvents), text: cloudEvent(), type: "priced", key: "p-1", time: nil,
            members: [("data", nil)]),
        Case(
            what: "typed values",
            settings: settings(
                .native,
                types: [
                    ("data.at", .date), ("data.lines.day", .epochDays), ("data.us", .epochMicros), ("data.ns", .epochNanos), ("occurredAt", .epochMillis),
                ]),
            text: #"{"eventId":"i","eventType":"t","key":"k","occurredAt":5,"data":{"at":"1970-01-01T00:00:01Z","us":-1,"#
                + #""ns":1999999,"lines":[{"day":-1,"n":1},{"day":null},{},7]}}"#,
            type: "t", key: "k", time: 5,
            members: [
                ("data.at", .date(1000)), ("data.us", .date(-1)), ("data.ns", .date(1)), ("occurredAt", .date(5)),
                ("data.lines.day", [.date(-86_400_000), .null]), ("data.lines.n", [1]), ("element.data.at", "1970-01-01T00:00:01Z"),
            ]),
        Case(
            what: "decimals, with every digit that is written",
            settings: settings(.native, types: [("data.amount", .decimal), ("data.lines.tax", .decimal)]),
            text: #"{"eventId":"i","eventType":"t","key":"k","data":{"x":[1.5,{"y":"]}"},[]],"amount":12.3400,"lines":[{"tax":0.1},{"tax":1E2,"n":0.1},"#
                + #"{"tax":"1234567890123456789012345678901234"},{"tax":7},{"tax":null},{}]}}"#,
            type: "t", key: "k", time: nil,
            members: [
                ("data.amount", decimal("12.3400")),
                ("data.lines.tax", .array([decimal("0.1"), decimal("1E+2"), decimal("1234567890123456789012345678901234"), decimal("7"), .null])),
                ("data.lines.n", [0.1]), ("data.x", [1.5, ["y": "]}"], []]), ("element.data.amount", 12.34),
            ]),
        Case(
            what: "a CloudEvent with typed values", settings: settings(.cloudEvents, types: [("data.at", .epochMillis)]),
            text: cloudEvent(#""data":{"at":9}"#), type: "priced", key: "p-1", time: nil, members: [("data", ["at": .date(9)])]),
    ]

    private static func decimal(_ text: String) -> Value { Decimal128(text).map(Value.decimal) ?? .null }

    @Test(arguments: cases) func `what becomes of an element`(example: Case) throws { try check(example) }

    @Test func `pointers say where everything is`() throws {
        let places = [
            "eventId": "/meta/id", "eventType": "/kinds/1", "key": "/body/flight~1no", "occurredAt": "/ts", "schemaVersion": "/meta/~0v", "data": "/body",
        ]
        var settings = Self.settings(try Self.pointers(places), types: [("occurredAt", .epochMillis), ("data.at", .date)])
        let text = #"{"meta":{"id":"m","~v":3},"kinds":["x","delayed"],"body":{"flight/no":12,"at":"1970-01-01T00:00:01Z"},"ts":7}"#
        try check(
            Case(
                what: "pointers", settings: settings, text: text, type: "delayed", key: "12", time: 7,
                members: [("eventId", "m"), ("schemaVersion", 3), ("data.at", .date(1000)), ("data.flight/no", 12), ("before", nil), ("element.ts", 7)]))
        // The stream's key goes before the pointer, and the empty pointer is the whole element.
        settings = Self.settings(try Self.pointers(["eventId": "/a", "eventType": "/b", "data": ""]), key: .path(["data", "c"]))
        try check(
            Case(
                what: "few pointers", settings: settings, text: #"{"a":"1","b":"2","c":"3"}"#, type: "2", key: "3", time: nil,
                members: [("data", ["a": "1", "b": "2", "c": "3"]), ("schemaVersion", nil)]))
    }

    /// The event as ingest hands it over, and as the log gives it back when the stream's settings are others by then.
    private func check(_ example: Case) throws {
        let logged = try #require(TestLog(settings: example.settings).append([example.text]).first)
        #expect(logged.chunk.refusals == [])
        let stored = try ChunkCodec.decode(Document(bson: ChunkCodec.encode(logged.chunk)))
        for decoded in [logged, DecodedChunk(parsing: stored)] {
            let event = try #require(decoded.event(at: 0))
            #expect(event.type.text == example.type && event.key == example.key && event.time == example.time)
            for (path, expected) in example.members {
                let names = path.split(separator: ".").map(String.init)
                #expect(try event.value(#require(Event.MemberName(rawValue: names[0])), Array(names.dropFirst())) == expected, "$\(path)")
            }
        }
    }

    @Test func `one id of two sources is two events, and a blank cannot join them`() throws {
        let log = TestLog(settings: Self.settings(.cloudEvents))
        let elements = [
            Self.cloudEvent(), Self.cloudEvent(#""source":"/other""#, without: "source"), Self.cloudEvent(),
            Self.cloudEvent(#""source":"/shop x""#, without: "source"),
        ]
        #expect(log.append(elements).first?.chunk.elements.map(\.kind) == [.event, .event, .duplicate, .refused])
    }

    @Test(arguments: ["a", "/~", "/~2", "/a~", " /a"]) func `what is no JSON pointer`(text: String) { #expect(JSONPointer(text) == nil) }

    /// RFC 6901, section 5, but for names with control characters.
    @Test(
        arguments: [
            ("", nil), ("/foo/0", "bar"), ("/foo/1", "baz"), ("/foo/2", nil), ("/foo/-", nil), ("/foo/01", nil), ("/foo/-0", nil), ("/foo/+1", nil), ("/", 0),
            ("/a~1b", 1), ("/c%d", 2), ("/m~0n", 8), ("/~01", 9), ("/none/x", nil), ("/c%d/x", nil),
        ] as [(String, Value?)]) func `where JSON pointers lead`(text: String, expected: Value?) throws
    {
        let pointer = try #require(JSONPointer(text))
        #expect(pointer.description == text)
        let found = try JSONText.read([Array(#"{"foo":["bar","baz"],"":0,"a/b":1,"c%d":2,"m~n":8,"~1":9}"#.utf8)]) { root in
            pointer.find(in: root)?.value
        }[0].get()
        if text.isEmpty { #expect(found?.asDocument?.fields.count == 6) } else { #expect(found == expected) }
    }
}
