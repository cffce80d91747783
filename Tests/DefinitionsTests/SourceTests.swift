import Events
import Foundation
import Models
import Testing
import Values

@testable import Definitions

/// `source:` of a model.
@Suite struct SourceTests {
    private static func model(_ source: String) -> String { goodModel + "source:\n\(source)\n" }

    private static let event = "  event: { type: created, key: $row.id, data: { name: $row.name } }\n"

    static let good = [
        event + "  command: [ ./products, --all ]", event + "  file: rows.ndjson\n  settle: 100ms", event + "  collection: products",
        event + "  collection: { database: shop, name: products, pipeline: [ { $match: { active: true } } ] }\n  settle: 1d",
        "  file: a\n  event: { type: { $cond: [ $row.gone, created, created ] }, key: { $toString: $row.n }, occurredAt: $row.at, schemaVersion: 2, data: $row }",
    ].map(model)

    static let mistakes = [
        Mistake(model("  command: [ a ]"), 6, 3, "event: is missing"),
        Mistake(
            goodModel.replacing("$set: { name: $data.name }", with: "$inc: { n: 1 }") + "source: { file: a, event: { type: created, key: $row.id } }\n", 4, 20,
            "$inc is not repeatable, and events of type \"created\" come from the source of truth at 5:35, where one may count twice"),
        Mistake(model(event), 6, 3, "source: takes one of command, collection and file, found none — such as command: [ ./products, --all ]"),
        Mistake(model(event + "  file: a\n  collection: b"), 6, 3, "source: takes one of command, collection and file, found collection and file"),
        Mistake(model(event + "  comand: [ a ]"), 7, 3, "unknown key \"comand\" — did you mean \"command\"?"),
        Mistake(model(event + "  command: ./products"), 7, 12, "command: must be a list of a program and its arguments, found \"./products\""),
        Mistake(model(event + "  command: []"), 7, 12, "found an empty list"),
        Mistake(model(event + "  file: 5"), 7, 9, "file: must be a string, found 5"),
        Mistake(model(event + "  collection: { pipeline: [] }"), 7, 15, "name: is missing"),
        Mistake(model(event + "  collection: { name: a, pipeline: { $match: {} } }"), 7, 36, "pipeline: must be a list of stages, found a map"),
        Mistake(model(event + "  collection: { name: a, pipeline: [ { $out: b } ] }"), 7, 40, "pipeline: $out is refused: it writes"),
        Mistake(model(event + "  file: a\n  settle: 10ms"), 8, 11, "settle: must be a duration from 100ms to 1d, found 10ms"),
        Mistake(model("  file: a\n  event: { key: $row.id }"), 7, 10, "type: is missing"),
        Mistake(model("  file: a\n  event: { type: created, key: $row.id, date: {} }"), 7, 41, "unknown key \"date\" — did you mean \"data\"?"),
        Mistake(
            model("  file: a\n  event: { type: creatde, key: $row.id }"), 7, 18, "event: the fold has no effect for \"creatde\" — did you mean \"created\"?"),
        Mistake(model("  file: a\n  event: { type: created, key: $data.id }"), 7, 32, "event: reads $data, and there is only the row — such as $row.id"),
        Mistake(model("  file: a\n  event: { type: created, key: $row.id, data: { a: $$doc.a } }"), 7, 47, "event: reads $$doc, and there is only the row"),
    ]

    @Test(arguments: good) func `what is good is read`(source: String) throws {
        let model = try ModelReader.read(source: source, file: "product.yaml")
        #expect(model.truth != nil)
        // It says nothing about what the documents are.
        #expect(model.foldHash == (try ModelReader.read(source: goodModel, file: "product.yaml")).foldHash)
    }

    @Test func `the page's example is good`() throws {
        let page = try String(contentsOfFile: root + "docs/sources.md", encoding: .utf8)
        let example = try #require(page.components(separatedBy: "```yaml\n").dropFirst().first?.components(separatedBy: "```").first)
        let truth = try #require(try ModelReader.read(source: example, file: "sources.md").truth)
        #expect(truth.settle == .seconds(120))
        guard case .command(let words) = truth.origin else {
            Issue.record("\(truth.origin)")
            return
        }
        #expect(words == ["./products"])
        let event = try truth.mapping.event(of: Array(#"{"id":"p-2","name":"Tea pot","seen":1}"#.utf8))
        #expect(event == ["eventType": "productStated", "key": "p-2", "data": ["name": "Tea pot"], "origin": "millrace.corrected"])
    }

    /// An operator of the effect, and whether a correction may do it twice.
    static let effects: [(effect: String, isRepeatable: Bool)] = [
        ("{ $inc: { a: 1 } }", false), ("{ $mul: { a: 2 } }", false), ("{ $push: { a: 1 } }", false), ("{ $pop: { a: 1 } }", false),
        ("{ $bit: { a: { xor: 1 } } }", false), ("[ { $set: { b: 1 } }, { $inc: { a: 1 } } ]", false), ("{ $set: { a: 1 } }", true),
        ("{ $addToSet: { a: 1 } }", true), ("{ $max: { a: 1 } }", true), ("{ $bit: { a: { or: 1 } } }", true), ("{ $delete: true }", true),
        ("{ $upsert: { a: { where: { id: 1 }, set: { b: 2 } } } }", true), ("{ $unset: { a: 1 } }", true),
        ("{ $contribute: { a: { by: $data.id, count: true } } }", true),
    ]

    @Test(arguments: effects) func `a correction does what can be done twice`(effect: String, isRepeatable: Bool) {
        let head = "version: 1\nmodel: product\nstream: product\nfold:\n  counted: { $inc: { c: 1 } }\n  said: \(effect)\nsource:\n  file: a\n"
        let found = problems(model: head + "  event: { type: said, key: $row.id }\n").map { ($0.line, $0.message) }
        #expect(found.isEmpty == isRepeatable, "\(found)")
        if !isRepeatable { #expect(found.allSatisfy { $0.0 == 6 && $0.1.contains("is not repeatable, and events of type \"said\" come from") }) }
        // Where only a row says which type it is, it may be any.
        let any = problems(model: head + "  event: { type: $row.type, key: $row.id }\n").map(\.line)
        #expect(any == (isRepeatable ? [5] : [5, 6]))
    }

    @Test func `only streams of Millrace's own envelope take corrections`() throws {
        let files = try Files(["millrace.yaml": "version: 1\nstreams: { product: { format: cloudevents } }\n", "models/product.yaml": Self.good[0]])
        let found = files.problems()
        #expect(found.count == 1, "\(found)")
        #expect(found.first?.hasPrefix("models/product.yaml:6:3: ") ?? false, "\(found)")
        #expect(found.first?.contains("source: needs a stream of format: native") ?? false, "\(found)")
    }
}
