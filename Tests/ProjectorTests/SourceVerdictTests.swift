import Events
import Fixtures
import Models
import Testing
import Values

@testable import Projector

/// What rows say against a document, without servers.
@Suite struct SourceVerdictTests {
    private static let mapping = RowMapping(
        type: .event(name: .row, path: ["type"]), key: .event(name: .row, path: ["id"]), data: .event(name: .row, path: []))
    private static let fold = EffectFold([
        "named": [Effect([.set(FieldPath(["name"]), .event(name: .data, path: ["name"]))])],
        "counted": [Effect([.increment(FieldPath(["count"]), .literal(.init(1)))])], "gone": [Effect([.delete])],
    ])
    private static let stream = StreamSettings(name: "test")
    private static let build = BuildID(model: "test", number: 1)

    private static func event(_ row: String) throws -> SourceEvent { try SourceEvent(row: Array(row.utf8), mapping, stream) }

    private static func verdict(_ rows: [String], onto before: Document?) throws -> SourceVerdict {
        try SourceVerdict(try rows.map(event), onto: before, fold, stream)
    }

    private static func named(_ name: String) -> String { #"{"type":"named","id":"k","name":"\#(name)"}"# }

    @Test func `a difference is what the fold would change`() throws {
        #expect(try Self.verdict([Self.named("a")], onto: ["name": "a"]).difference.isNothing)
        let other = try Self.verdict([Self.named("b")], onto: ["name": "a"])
        #expect(other.isDrift(other.difference) && !other.isDrift(SourceDifference()))
        let partition = PartitionID(stream: "test", number: 0)
        #expect(
            other.drift("k", partition)
                == Drift(
                    partition: partition, id: "k", kind: .different, fields: [.init(name: "name", found: "a", expected: "b")], truth: .source))
        #expect(try Self.verdict([Self.named("b")], onto: nil).drift("k", partition).kind == .missing)
        #expect(try Self.verdict([#"{"type":"gone","id":"k"}"#], onto: ["name": "a"]).drift("k", partition).kind == .extra)
        #expect(try Self.verdict([#"{"type":"gone","id":"k"}"#], onto: nil).difference.isNothing)
        #expect(try Self.verdict([#"{"type":"unknown","id":"k"}"#], onto: nil).difference.isNothing)
    }

    @Test func `it is the same in two looks where neither the row nor the document is another`() throws {
        let first = try Self.verdict([Self.named("b")], onto: ["name": "a"]).difference
        #expect(try Self.verdict([#"{"id":"k","name":"b","type":"named","seen":5}"#], onto: ["name": "a"]).isDrift(first))
        #expect(try !Self.verdict([Self.named("c")], onto: ["name": "a"]).isDrift(first))
        #expect(try !Self.verdict([Self.named("b")], onto: ["name": "x"]).isDrift(first))
        #expect(try !Self.verdict([Self.named("b")], onto: nil).isDrift(first))
        #expect(try !Self.verdict([], onto: ["name": "a"]).isDrift(first))
        #expect(try !Self.verdict([Self.named("b"), Self.named("c")], onto: ["name": "a"]).isDrift(first))
    }

    @Test func `rows that contradict each other end with the last, and only those that change something correct it`() throws {
        let settled = try Self.verdict([Self.named("b"), Self.named("a")], onto: ["name": "a"])
        #expect(!settled.isDrift(settled.difference))
        let both = try Self.verdict([Self.named("a"), Self.named("b")], onto: ["name": "a"])
        #expect(both.isDrift(both.difference) && both.events.map { $0.fields["data"]?.asDocument?["name"] } == ["b"])
    }

    @Test func `what cannot be taken twice corrects nothing`() {
        #expect(throws: Refusal.self) { try Self.verdict([#"{"type":"counted","id":"k"}"#], onto: ["count": 1]) }
    }

    @Test func `a correction of the same state has the same id, and of another state another`() throws {
        func ids(_ row: String, _ last: Int64?, key: String = "k") throws -> [String] {
            let partition = PartitionID(stream: "test", number: 0)
            return try SourceCorrection([Self.event(row)], key, partition, Self.build, last: last).elements.map { element in
                let document = try JSONText.parse(String(decoding: element, as: UTF8.self)).get().asDocument
                #expect(document?["origin"] == "millrace.corrected" && document?["key"] == "k" && document?["eventType"] == "named")
                return try #require(document?["eventId"]?.asString)
            }
        }
        let id = try ids(Self.named("b"), 7)
        #expect(try ids(Self.named("b"), 7) == id)
        for other in [try ids(Self.named("c"), 7), try ids(Self.named("b"), 8), try ids(Self.named("b"), nil), try ids(Self.named("b"), 7, key: "l")] {
            #expect(other != id)
        }
    }

    @Test func `rows that are none, and rows that are no events, are told apart`() {
        func problem(_ row: String) -> Problem? {
            do {
                _ = try Self.event(row)
                return nil
            } catch {
                return (error as? Refusal)?.problem
            }
        }
        #expect(problem(Self.named("a")) == nil)
        for row in ["", "loading", "[]", "5", Self.named("a") + "x", Self.named("a") + #", "data": {"x": 1}"#] { #expect(problem(row) == .badInput, "\(row)") }
        #expect(problem(#"{"type":"named"}"#) == .noKey)
        #expect(problem(#"{"type":"named","id":null}"#) == .noKey)
        #expect(problem(#"{"type":"named","id":""}"#) == .badKey)
        #expect(problem(#"{"id":"k"}"#) == .badEventType)
        #expect(problem(#"{"type":"named","id":"k","name":"\#(String(repeating: "x", count: 1 << 20))"}"#) == .oversize)
    }
}
