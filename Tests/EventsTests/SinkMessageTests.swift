import EventFixtures
import Testing
import Values

@testable import Events

/// What becomes of a message of Debezium Server's Redis sink.
@Suite struct SinkMessageTests {
    private static func element(_ fields: (String, String)...) -> String {
        String(decoding: SinkMessage(fields.map { .init(Array($0.utf8), Array($1.utf8)) }).element, as: UTF8.self)
    }

    static let value = #"{"before":null,"after":{"id":7},"op":"c"}"#

    @Test func `compact and extended messages become key and value`() {
        let element = #"{"key":{"id":7},"value":\#(Self.value)}"#
        #expect(Self.element((#"{"id":7}"#, Self.value)) == element)
        #expect(Self.element(("key", #"{"id":7}"#), ("value", Self.value)) == element)
        #expect(Self.element(("value", Self.value), ("key", #"{"id":7}"#)) == element)
    }

    @Test func `headers are kept beside them`() {
        let element = Self.element(("key", #"{"id":7}"#), ("value", "{}"), ("TENANT", #"a "b""#), ("N", "1"))
        #expect(element == #"{"key":{"id":7},"value":{},"headers":{"TENANT":"a \"b\"","N":"1"}}"#)
    }

    @Test func `what the sink writes for nothing is null`() {
        #expect(Self.element((#"{"id":7}"#, "default")) == #"{"key":{"id":7},"value":null}"#)
        #expect(Self.element(("key", "default"), ("value", Self.value)) == #"{"key":null,"value":\#(Self.value)}"#)
    }

    @Test func `a key that is no JSON is a text`() {
        #expect(Self.element(("order-7", "{}")) == #"{"key":"order-7","value":{}}"#)
        #expect(Self.element((#"{"id":7},"value":{"op":"d"}"#, "{}")) == #"{"key":"{\"id\":7},\"value\":{\"op\":\"d\"}","value":{}}"#)
    }

    @Test func `a value that is no JSON makes no JSON, and none that pretends to be more`() {
        #expect(Self.element((#"{"id":7}"#, #"{"before":nu"#)) == #"{"key":{"id":7},"value":{"before":nu}"#)
        #expect(Self.element((#"{"id":7}"#, #"{},"other":1"#)) == #"{"key":{"id":7},"value":"{},\"other\":1"}"#)
        #expect(Self.element((#"{"id":7}"#, "")) == #"{"key":{"id":7},"value":}"#)
    }

    @Test func `an entry that is no message keeps its fields`() {
        #expect(Self.element(("key", "1"), ("other", "x\ny")) == #"{"key":"1","other":"x\ny"}"#)
        #expect(
            SinkMessage([.init(Array("a".utf8), [0xff]), .init(Array("b".utf8), [])]).element == Array(#"{"a":""#.utf8) + [0xff] + Array(#"","b":""}"#.utf8))
        #expect(SinkMessage([]).element == Array("{}".utf8))
    }

    /// What the log makes of elements that a bridge pushes.
    @Test(arguments: [
        (#"{"id":7}"#, DebeziumTests.change("c", after: #"{"id":7}"#), "7", "products.c"),
        (#"{"schema":{},"payload":{"id":7}}"#, #"{"schema":{},"payload":\#(DebeziumTests.change("d", before: #"{"id":7}"#))}"#, "7", "products.d"),
        (#"{"id":7}"#, "default", "7", "tombstone"),
    ])
    func `the format reads them`(key: String, value: String, wanted: String, type: String) throws {
        let settings = DebeziumTests.settings(keys: [:])
        let element = Self.element((key, value))
        let logged = try #require(TestLog(settings: settings).append([element]).first)
        let event = try #require(logged.event(at: 0))
        #expect((event.key, event.type.text) == (wanted, type))
    }

    @Test func `an element goes to the partition of its key, and what is no event to none`() {
        var settings = DebeziumTests.settings(keys: [:])
        settings.partitions = 7
        for id in 0..<50 {
            let element = Self.element((#"{"id":\#(id)}"#, DebeziumTests.change("c", after: #"{"id":\#(id)}"#)))
            #expect(settings.partition(of: Array(element.utf8)) == Partitioning.partition(of: "\(id)".utf8, count: 7))
        }
        for element in ["{}", "", #"{"key":{"id":7},"value":{"before":nu}"#, #"{"key":null,"value":null}"#] {
            #expect(settings.partition(of: Array(element.utf8)) == nil, "\(element)")
        }
    }
}
