import Events
import Foundation
import Models
import Projector
import Testing
import Values

@testable import Definitions

@Suite struct CaseRunTests {
    @Test func `documents, what is absent, ignored, a duplicate and parked are as expected`() throws {
        let good = """
            - name: everything
              given:
                documents: { a: { count: 1 }, b: { name: Bob } }
                events:
                  - { eventType: counted, key: a }
                  - { eventType: gone, key: b }
                  - { eventType: unknown, key: a }
                  - { eventId: e-4, eventType: renamed, key: a, data: {} }
                  - { eventId: e-5, eventType: dated, key: c, occurredAt: "2026-11-20T10:00:00Z" }
                  - { eventId: e-5, eventType: dated, key: c, occurredAt: "2026-11-20T10:00:00Z" }
                  - "{"
              expect:
                documents: { a: { count: 2 }, c: { at: { $date: "2026-11-20T10:00:00Z" } } }
                absent: [ b ]
                ignored: [ 3 ]
                duplicates: [ 6 ]
                parked: [ { event: e-4, problem: missing-value }, { event: 7, problem: bad-json } ]
            """
        #expect(try differences(good) == [])
    }

    static let failures: [(expect: String, lines: [String])] = [
        ("{ documents: { a: { count: 2 } } }", ["a count: expected 2, found 3"]),
        ("{ documents: { a: { count: 3.0 } } }", ["a count: expected 3.0, found 3"]),
        ("{ documents: { a: { count: { $numberLong: \"3\" } } } }", ["a count: expected { $numberLong: \"3\" }, found 3"]),
        ("{ documents: { a: { count: 3, name: A } } }", ["a name: expected A, found nothing"]),
        ("{ documents: { a: {} } }", ["a count: expected nothing, found 3"]),
        ("{ documents: {} }", ["a: expected no document, found { count: 3 }"]),
        ("{ documents: { a: { count: 3 }, b: { x: 1 } } }", ["b: expected { x: 1 }, found no document"]),
        ("{ absent: [ a ] }", ["a: expected no document, found { count: 3 }"]),
        ("{ ignored: [ 2 ] }", ["event 2 (counted): expected ignored, found applied"]),
        ("{ duplicates: [ 1 ] }", ["event 1 (counted): expected a duplicate, found applied"]),
        ("{ parked: [ { event: 1, problem: bad-path } ] }", ["event 1 (counted): expected parked (bad-path), found applied"]),
    ]

    @Test(arguments: failures) func `what differs is said in a line`(expect: String, lines: [String]) throws {
        let events = "[ { eventType: counted, key: a }, { eventType: counted, key: a } ]"
        let source = "- { name: n, given: { documents: { a: { count: 1 } }, events: \(events) }, expect: \(expect) }"
        #expect(try differences(source) == ["something else comes out than is expected"] + lines)
    }

    @Test func `inner fields, elements and orders differ in lines of their own`() throws {
        let source = """
            - name: n
              given:
                documents: { a: { x: { y: 1, z: [ 1, { t: 2 } ] }, v: 1, w: 2 }, "1": { v: 1 } }
                events: [ { eventType: renamed, key: b } ]
              expect:
                documents: { a: { x: { y: 2, z: [ 1, { t: 3 } ] }, w: 2, v: 1 }, "1": { v: [] } }
            """
        #expect(
            try differences(source) == [
                "something else comes out than is expected", "a x.y: expected 2, found 1", "a x.z[1].t: expected 3, found 2",
                "a: the fields stand in another order: expected x, w, v; found x, v, w", "\"1\" v: expected [], found 1",
                "event 1 (renamed): expected applied, found parked (missing-value: $set: the value for name is missing)",
            ])
    }

    @Test func `a case that says nothing fails`() throws {
        let source = "- { name: n, given: { events: [ { eventType: counted, key: a } ] }, expect: }"
        #expect(try differences(source) == ["the case does not say what to expect", "millrace test --update writes what comes out"])
    }

    @Test func `the cases of docs and config are good for the model in config`() throws {
        let model = try ModelReader.read(source: try String(contentsOfFile: "\(root)/config/models/product.yaml", encoding: .utf8), file: "product.yaml")
        let page = try String(contentsOfFile: "\(root)/docs/cases.md", encoding: .utf8)
        let example = try #require(page.components(separatedBy: "```yaml\n").last?.components(separatedBy: "```").first)
        for source in [example, try String(contentsOfFile: "\(root)/config/tests/product.yaml", encoding: .utf8)] {
            let findings = Findings(file: "product.yaml")
            let file = try #require(CaseReader(findings: findings, models: ["product"]).read(source))
            #expect(findings.isEmpty, "\(findings.problems)")
            for result in file.cases.map({ $0.run(model, StreamSettings(name: "product"), file: "") }) {
                #expect(result.isGood, "\(result.case.name): \(result.differences)")
            }
        }
    }

    @Test func `events come as the stream's format says`() throws {
        var stream = StreamSettings(name: "product")
        stream.shape.format = .cloudEvents
        stream.partitions = 7
        let source = """
            - name: a CloudEvent needs no id here
              given:
                events:
                  - { specversion: "1.0", source: /shop, type: counted, subject: a }
                  - { specversion: "1.0", source: /shop, type: counted, subject: a }
                  - { eventType: counted, key: a }
              expect: { documents: { a: { count: 2 } }, parked: [ { event: 3, problem: unknown-version } ] }
            """
        #expect(try differences(source, stream) == [])
    }

    @Test func `what Millrace keeps for itself is only looked at where it matters`() throws {
        let source = """
            version: 1
            model: product
            stream: product
            root: made
            fold:
              made: { $set: { name: $data.name } }
              rated: { $contribute: { rating: { by: $data.by, count: true } } }

            """
        let model = try ModelReader.read(source: source, file: "product.yaml")
        func differences(_ documents: String) throws -> [String] {
            let events =
                "[ { eventType: made, key: a, data: { name: A } }, { eventType: rated, key: a, data: { by: 1 } }, { eventType: rated, key: b, data: { by: 1 } } ]"
            let file = try cases("- { name: n, given: { events: \(events) }, expect: { documents: \(documents) } }")
            return file.cases[0].run(model, StreamSettings(name: "product"), file: "").differences.flatMap(\.lines)
        }
        #expect(try differences("{ a: { name: A, rating: { count: 1 } }, b: { rating: { count: 1 }, _orphan: true } }") == [])
        #expect(try differences("{ a: { name: A, rating: { count: 1 } }, b: { rating: { count: 1 } } }") == ["b _orphan: expected nothing, found true"])
    }

    @Test func `what is held back behind a parked event is expected by its number`() throws {
        let source = "version: 1\nmodel: product\nstream: product\nonError: hold\nfold: { renamed: { $set: { name: $data.name } } }\n"
        let model = try ModelReader.read(source: source, file: "product.yaml")
        func differences(_ expected: String) throws -> [String] {
            let events = [("a", "{ name: A }"), ("a", "{}"), ("b", "{ name: B }"), ("a", "{ name: C }")]
                .map { "{ eventType: renamed, key: \($0), data: \($1) }" }.joined(separator: ", ")
            let file = try cases("- { name: n, given: { events: [ \(events) ] }, expect: { \(expected) } }")
            return file.cases[0].run(model, StreamSettings(name: "product"), file: "").differences.flatMap(\.lines)
        }
        let parked = "documents: { a: { name: A }, b: { name: B } }, parked: [ { event: 2, problem: missing-value } ]"
        #expect(try differences(parked + ", held: [ 4 ]") == [])
        #expect(try differences(parked) == ["event 4 (renamed): expected applied, found held"])
    }

    @Test func `what stops the model is expected by its number, and what is behind it waits`() throws {
        let source = "version: 1\nmodel: product\nstream: product\nonError: stop\nfold: { renamed: { $set: { name: $data.name } } }\n"
        let model = try ModelReader.read(source: source, file: "product.yaml")
        func result(_ expected: String) throws -> CaseResult {
            let events = [("a", "{ name: A }"), ("a", "{}"), ("b", "{ name: B }"), ("a", "{}")]
                .map { "{ eventType: renamed, key: \($0), data: \($1) }" }.joined(separator: ", ")
            let file = try cases("- { name: n, given: { events: [ \(events) ] }, expect: \(expected), repeatable: true }")
            return file.cases[0].run(model, StreamSettings(name: "product"), file: "")
        }
        let good = "{ documents: { a: { name: A } }, stopped: { event: 2, problem: missing-value } }"
        #expect(try result(good).differences == [])
        let found = try result("{ documents: { a: { name: A } } }")
        #expect(
            found.differences.flatMap(\.lines) == [
                "event 2 (renamed): expected applied, found stopped (missing-value: $set: the value for name is missing)",
                "event 3 (renamed): expected applied, found waiting", "event 4 (renamed): expected applied, found waiting",
            ])
        #expect(try YAMLText.flow(.document(#require(found.actual).value)) == good)
        #expect(
            try result("{ stopped: { event: 1, problem: missing-value } }").differences.flatMap(\.lines).first
                == "event 1 (renamed): expected stopped (missing-value), found applied")
    }

    // MARK: Repeats, orders, cuts

    @Test func `what comes again has to change nothing`() throws {
        func source(_ type: String) -> String {
            "- { name: n, given: { events: [ { eventId: e, eventType: \(type), key: a, data: { name: A } } ] }, expect: {}, repeatable: true }"
        }
        #expect(try differences(source("renamed")) == [])
        #expect(
            try differences(source("counted")) == [
                "not repeatable: when all events come a second time, with fresh ids, something else comes out", "a count: once 1, found 2",
                "not repeatable: when each event comes twice, with fresh ids, something else comes out", "a count: once 1, found 2",
            ])
    }

    @Test func `every order has to give the same`() throws {
        func source(_ second: String) -> String {
            """
            - name: n
              given: { events: [ { eventType: renamed, key: a, data: { name: A } }, { eventType: counted, key: b }, { eventType: renamed, key: \(second), data: { name: B } } ] }
              expect: {}
              orders: all
            """
        }
        #expect(try differences(source("c")) == [])
        let found = try differences(source("a"))
        #expect(found.count == 2 && found[0].hasPrefix("not the same in all orders: when the events come in the order "), "\(found)")
        #expect(found.last == "a name: in order B, found A")
    }

    @Test func `orders are all there are, the given one first`() {
        for count in 0...5 {
            let orders = CaseRun.orders(count)
            #expect(orders.first == Array(0..<count))
            #expect(Set(orders).count == (1...max(1, count)).reduce(1, *))
            #expect(orders.allSatisfy { $0.sorted() == Array(0..<count) })
        }
    }

    /// A fold that keeps in a document what does not survive being stored.
    private struct Forgetful: Folding {
        func handles(_ type: ExactString) -> Bool { true }

        func fold(_ event: Event, into document: inout Document?) throws(Refusal) -> Bool {
            var fields = document ?? Document()
            if case .other? = fields["x"] { fields["y"] = 1 }
            fields["x"] = .other(OpaqueValue(type: BSONType.int32, bytes: [1, 0, 0, 0]))
            document = fields
            return true
        }
    }

    @Test func `a fold that comes out otherwise when it is cut is found`() throws {
        let of = try cases("- { name: n, given: { events: [ { eventType: t, key: a }, { eventType: t, key: a } ] }, expect: {} }").cases[0]
        let run = CaseRun(of: of, fold: Forgetful(), build: BuildID(model: "product", number: 1), stream: StreamSettings(name: "product"))
        let differences = try run.run().differences
        #expect(differences.map(\.what) == ["cut after event 1, the fold gives something else than uncut"])
        #expect(differences.flatMap(\.lines).contains("a y: uncut 1, found nothing"), "\(differences)")
    }
}
