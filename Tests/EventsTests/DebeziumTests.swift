import EventFixtures
import Fixtures
import Testing
import Values

@testable import Events

/// Debezium's change events: which event each is, and what the fold reads of it.
@Suite struct DebeziumTests {
    static let postgres = #""source":{"connector":"postgresql","name":"shop","db":"shop","schema":"public","table":"products","txId":5,"lsn":77,"ts_ms":1000}"#

    static func settings(keys: [String: [String]] = ["products": ["row", "id"]], outbox: String? = nil, types: [(String, ValueType)] = []) -> StreamSettings {
        var settings = FormatTests.settings(.debezium(DebeziumFormat(outbox: outbox)), types: types)
        settings.key = .tables(keys)
        return settings
    }

    static func change(_ op: String, before: String = "null", after: String = "null", source: String = postgres, more: String = "") -> String {
        #"{"before":\#(before),"after":\#(after),\#(source),"op":"\#(op)","ts_ms":2000\#(more)}"#
    }

    /// What the fold reads of the one event that a text is.
    private func read(_ text: String, _ settings: StreamSettings, _ body: (Event) throws -> Void) throws {
        let logged = try #require(TestLog(settings: settings).append([text]).first)
        #expect(logged.chunk.refusals == [])
        let stored = try ChunkCodec.decode(Document(bson: ChunkCodec.encode(logged.chunk)))
        for decoded in [logged, DecodedChunk(parsing: stored)] { try body(try #require(decoded.event(at: 0))) }
    }

    private static func value(_ event: Event, _ path: String) -> Value? {
        let names = path.split(separator: ".").map(String.init)
        return Event.MemberName(rawValue: names[0]).flatMap { event.value($0, Array(names.dropFirst())) }
    }

    @Test(arguments: [("c", "null", #"{"id":1,"n":"b"}"#), ("u", #"{"id":1,"n":"a"}"#, #"{"id":1,"n":"b"}"#), ("r", "null", #"{"id":1,"n":"b"}"#)])
    func `a row that is there`(op: String, before: String, after: String) throws {
        try read(Self.change(op, before: before, after: after), Self.settings()) { event in
            #expect(event.type == ExactString("products.\(op)") && event.key == "1" && event.time == 1000)
            #expect(Self.value(event, "op") == .string(op) && Self.value(event, "after.n") == "b" && Self.value(event, "row.n") == "b")
            #expect(Self.value(event, "before.n") == (op == "u" ? "a" : nil) && Self.value(event, "data") == nil)
            #expect(Self.value(event, "element.source.lsn") == 77)
        }
    }

    @Test func `a row that is gone`() throws {
        try read(Self.change("d", before: #"{"id":1,"n":"a"}"#), Self.settings()) { event in
            #expect(event.type == "products.d" && event.key == "1")
            #expect(Self.value(event, "row.n") == "a" && Self.value(event, "after") == nil)
        }
    }

    @Test func `values have the types of the schema, nested and before as after`() throws {
        func field(_ name: String, _ type: String, _ meaning: String? = nil, _ more: String = "") -> String {
            #"{"field":"\#(name)","type":"\#(type)"\#(meaning.map { #","name":"\#($0)""# } ?? "")\#(more)}"#
        }
        let time = "io.debezium.time."
        let fields = [
            field("id", "int32"), field("day", "int32", time + "Date"), field("ms", "int64", time + "Timestamp"), field("us", "int64", time + "MicroTimestamp"),
            field("ns", "int64", time + "NanoTimestamp"), field("zoned", "string", time + "ZonedTimestamp"), field("json", "string", "io.debezium.data.Json"),
            field("price", "bytes", "org.apache.kafka.connect.data.Decimal", #","parameters":{"scale":"2"}"#),
            field("wide", "struct", "io.debezium.data.VariableScaleDecimal"), field("none", "int32", time + "Date"),
            field("days", "array", nil, #","items":{"type":"int32","name":"org.apache.kafka.connect.data.Date"}"#),
            field("inner", "struct", nil, #","fields":[\#(field("day", "int32", "org.apache.kafka.connect.data.Date"))]"#),
        ].joined(separator: ",")
        let row =
            #"{"id":1,"day":1,"ms":2,"us":3999,"ns":-1,"zoned":"1970-01-01T00:00:01Z","json":"{\"a\":[1]}","price":"/tI=","#
            + #""wide":{"scale":3,"value":"MDk="},"none":null,"days":[0,1],"inner":{"day":2},"new":7}"#
        let payload = Self.change("u", before: row, after: row)
        let schema =
            #"{"type":"struct","fields":[{"field":"before","type":"struct","fields":[\#(fields)]},{"field":"after","type":"struct","fields":[\#(fields)]}]}"#
        let expected: Value = [
            "id": 1, "day": .date(86_400_000), "ms": .date(2), "us": .date(3), "ns": .date(-1), "zoned": .date(1000), "json": ["a": [1]], "price": "-3.02",
            "wide": "12.345", "none": .null, "days": [.date(0), .date(86_400_000)], "inner": ["day": .date(172_800_000)], "new": 7,
        ]
        try read(#"{"schema":\#(schema),"payload":\#(payload)}"#, Self.settings()) { event in
            #expect(Self.value(event, "before") == expected && Self.value(event, "row") == expected)
        }
        // Without the schema, the stream says it.
        try read(payload, Self.settings(types: [("row.day", .epochDays), ("row.us", .epochMicros)])) { event in
            for side in ["before", "after", "row"] {
                #expect(Self.value(event, side + ".day") == .date(86_400_000) && Self.value(event, side + ".us") == .date(3))
                #expect(Self.value(event, side + ".price") == "/tI=")
            }
        }
    }

    @Test func `a value that is not at hand is the one before, or missing`() throws {
        let (marker, coded) = ("__debezium_unavailable_value", "X19kZWJleml1bV91bmF2YWlsYWJsZV92YWx1ZQ==")
        let after = #"{"id":1,"a":"\#(marker)","b":"\#(coded)","c":["\#(marker)"],"d":"\#(marker)!"}"#
        try read(Self.change("u", before: #"{"id":1,"a":"old","c":"\#(marker)"}"#, after: after), Self.settings()) { event in
            #expect(Self.value(event, "after") == ["id": 1, "a": "old", "d": .string(marker + "!")])
            #expect(Self.value(event, "before") == ["id": 1, "a": "old"])
        }
    }

    @Test func `the message's key is the key where the stream does not say another`() throws {
        let change = Self.change("c", after: #"{"id":1,"sku":"s"}"#)
        for key in [#"{"sku":"s"}"#, #"{"schema":{},"payload":{"sku":"s"}}"#, "\"s\""] {
            for value in [change, #"{"schema":{},"payload":\#(change)}"#] {
                try read(#"{"key":\#(key),"value":\#(value)}"#, Self.settings(keys: [:])) { #expect($0.key == "s" && Self.value($0, "row.id") == 1) }
            }
            try read(#"{"key":\#(key),"value":\#(change)}"#, Self.settings()) { #expect($0.key == "1") }
            try read(#"{"key":\#(key),"value":null}"#, Self.settings(keys: [:])) { #expect($0.key == "s" && $0.type == "tombstone") }
        }
    }

    @Test func `MongoDB writes documents as text`() throws {
        let source = #""source":{"connector":"mongodb","name":"m","db":"shop","collection":"products","ts_ms":3000,"ord":2}"#
        let after =
            #""{\"_id\":{\"$oid\":\"65f0\"},\"at\":{\"$date\":5},\"on\":{\"$date\":\"1970-01-01T00:00:01Z\"},\"n\":{\"$numberLong\":\"7\"},"#
            + #"\"d\":{\"$numberDecimal\":\"1.50\"},\"l\":[{\"$date\":{\"$numberLong\":\"-1\"}}],\"o\":{\"$oid\":1}}""#
        let element = #"{"key":{"id":"{\"$oid\":\"65f0\"}"},"value":\#(Self.change("c", after: after, source: source))}"#
        try read(element, Self.settings(keys: [:])) { event in
            #expect(event.type == "products.c" && event.key == "65f0" && event.time == 3000)
            let expected: Value = ["_id": "65f0", "at": .date(5), "on": .date(1000), "n": .int64(7), "d": "1.50", "l": [.date(-1)], "o": ["$oid": 1]]
            #expect(Self.value(event, "row") == expected)
        }
        try read(element, Self.settings(keys: ["products": ["row", "_id"]])) { #expect($0.key == "65f0") }
    }

    @Test func `a row of the outbox is the event that it holds`() throws {
        let source = #""source":{"connector":"mysql","name":"s","db":"shop","table":"outbox","file":"b.1","pos":4,"row":0,"ts_ms":9}"#
        let row = #"{"id":"u-1","aggregatetype":"product","aggregateid":"p-1","type":"priced","payload":"{\"amount\":2}"}"#
        let settings = Self.settings(keys: ["outbox": ["row", "id"]], outbox: "outbox")
        try read(Self.change("c", after: row, source: source), settings) { event in
            #expect(event.type == "priced" && event.key == "p-1" && event.time == 9)
            #expect(Self.value(event, "data.amount") == 2 && Self.value(event, "eventId") == "u-1")
        }
        // The outbox is emptied again, which no model needs to name; what a snapshot reads again is the same event.
        let chunk = try #require(
            TestLog(settings: settings).append([
                Self.change("c", after: row, source: source), Self.change("d", before: row, source: source), Self.change("r", after: row, source: source),
            ]).first
        ).chunk
        #expect(chunk.types.map(\.text) == ["priced", "outbox.d"] && chunk.elements.map(\.kind) == [.event, .event, .duplicate])
    }

    @Test func `a change that is sent again is known, whenever it is sent, and rows at one position are told apart`() throws {
        let first = Self.change("c", after: #"{"id":1,"n":1}"#)
        let later = Self.change("c", after: #"{"id":1,"n":1}"#, source: Self.postgres.replacing("\"ts_ms\":1000", with: "\"ts_ms\":1000,\"version\":\"9\""))
        let texts = [
            first, later.replacing("\"ts_ms\":2000", with: "\"ts_ms\":3000"), Self.change("c", after: #"{"id":2,"n":1}"#),
            Self.change("u", after: #"{"id":1,"n":1}"#), Self.change("c", after: #"{"id":1,"n":1}"#, source: Self.postgres.replacing("77", with: "78")),
            Self.change("c", after: #"{"id":1,"n":1}"#, more: #","transaction":{"id":"5","total_order":1}"#),
            Self.change("c", after: #"{"id":1,"n":1}"#, more: #","transaction":{"id":"5","total_order":2}"#),
        ]
        let chunk = try #require(TestLog(settings: Self.settings()).append(texts).first).chunk
        #expect(chunk.elements.map(\.kind) == [.event, .duplicate, .event, .event, .event, .event, .event], "\(chunk.refusals)")
    }

    @Test(arguments: [
        ("AA==", 0, "0"), ("AA==", 2, "0.00"), ("AA==", -3, "0"), ("AQ==", 0, "1"), ("AQ==", 3, "0.001"), ("/w==", 0, "-1"), ("/w==", 2, "-0.01"),
        ("gA==", 0, "-128"), ("AIA=", 0, "128"), ("gAA=", 1, "-3276.8"), ("Aw==", -2, "300"), ("f/////////8=", 0, "9223372036854775807"),
        ("AIAAAAAAAAAA", 2, "92233720368547758.08"), ("/wA=", 0, "-256"),
    ]) func `decimals keep every digit`(coded: String, scale: Int, expected: String) throws {
        // f/////////8= has eight bytes, AIAAAAAAAAAA nine.
        #expect(UnscaledNumber.text(try #require(Base64.decode(coded.utf8)), scale: scale) == expected)
    }

    @Test(arguments: Seed.ofThisRun) func `decimals of random numbers are those numbers`(seed: Seed) {
        var random = Random(seed)
        for _ in 0..<300 {
            let number = Int64(bitPattern: random.next()) >> Int64(random.below(64))
            let bytes = (0..<8).map { UInt8(truncatingIfNeeded: number >> Int64(56 - 8 * $0)) }
            #expect(UnscaledNumber.text(bytes, scale: 0) == "\(number)")
        }
    }

    static let bad: [(String, StreamSettings, Problem, String)] = [
        ("null", settings(), .tombstone, "set tombstones.on.delete=false"), ("[]", settings(), .notAnObject, "found an array"),
        (#"{"schema":null,"payload":null}"#, settings(), .tombstone, "does not say which row"),
        (#"{"key":{"a":1,"b":2},"value":null}"#, settings(), .badKey, "has 2 columns"),
        (#"{"status":"BEGIN","id":"5"}"#, settings(), .badEventType, "op must be c, u, d, r or t: leave heartbeats"),
        (change("m"), settings(), .badEventType, "op must be c, u, d, r or t"),
        (change("c", after: "{}", source: #""source":{"connector":"postgresql","lsn":1}"#), settings(), .badEventType, "source.table is missing"),
        (change("c", after: "{}", source: #""source":{"table":"t"}"#), settings(), .badEventId, "source.connector is missing"),
        (
            change("c", after: "{}", source: #""source":{"table":"t","connector":"oracle"}"#), settings(), .badEventId,
            "must be postgresql, mysql, mariadb or mongodb"
        ),
        (change("c", after: "{}", source: #""source":{"table":"t","connector":"postgresql"}"#), settings(), .badEventId, "source.lsn is missing"),
        (change("c", after: "{}", source: #""source":{"table":"t","connector":"mysql","file":"f"}"#), settings(), .badEventId, "source.pos is missing"),
        (change("c", after: "{}"), settings(), .noKey, "$row.id is missing"), (change("t"), settings(), .noKey, "$row.id is missing"),
        (change("c", after: "{}"), settings(keys: [:]), .noKey, "keys: do not name the table products"),
        (change("c", after: "5"), settings(), .badValue, "after must be an object, found a number"),
        (change("c", after: #"{"id":1,"at":"x"}"#), settings(types: [("row.at", .epochMicros)]), .badValue, "$row.at must be an integer of microseconds"),
        (
            #"{"schema":{"fields":[{"field":"after","type":"struct","fields":[{"field":"p","name":"io.debezium.time.Date"}]}]},"payload":"#
                + change("c", after: #"{"id":1,"p":"x"}"#) + "}", settings(), .badValue, "after.p is not what its schema io.debezium.time.Date says"
        ),
        (
            change("c", after: #"{"id":7}"#, source: #""source":{"connector":"mysql","table":"outbox","file":"f","pos":1}"#), settings(outbox: "outbox"),
            .badEventId,
            "the outbox's column id must be text"
        ),
    ]

    @Test func `what is no change event is refused with the reason`() throws {
        for (text, settings, problem, says) in Self.bad {
            let refusal = try #require(TestLog(settings: settings).append([text]).first?.chunk.refusals.first, "\(text)")
            #expect(refusal.problem == problem && refusal.message.contains(says), "\(text): \(refusal)")
        }
    }
}
