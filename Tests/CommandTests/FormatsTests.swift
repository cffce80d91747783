import Events
import Fixtures
import Foundation
import Testing
import Values

/// What the pages about formats and versions say becomes of an element, on real servers.
@Suite(.serialized) struct FormatsTests {
    /// The examples of a page: blocks that follow a comment `<!-- example: NAME -->`, by the language they are in.
    private static func examples(_ page: String) throws -> [(name: String, blocks: [String: String])] {
        let page = try String(contentsOfFile: Installation.root + "/docs/" + page, encoding: .utf8)
        return page.components(separatedBy: "<!-- example: ").dropFirst().map { part in
            let lines = part.components(separatedBy: "\n")
            var blocks: [String: String] = [:]
            var language: String?
            for line in lines {
                if let open = language {
                    if line == "```" { language = nil } else { blocks[open, default: ""] += line + "\n" }
                } else if line.hasPrefix("```") {
                    language = String(line.dropFirst(3))
                }
            }
            return (String(lines[0].prefix { $0 != " " }), blocks)
        }
    }

    @Test(arguments: [
        "formats.md": ["native", "cloudevents", "debezium", "outbox", "pointers", "types"], "versions.md": ["upcast", "versions", "unknown"],
    ]) func `each example of a page becomes what the page says`(page: String, names: [String]) async throws {
        let examples = try Self.examples(page)
        #expect(examples.map(\.name) == names)
        for (name, blocks) in examples {
            let streams = try #require(blocks["yaml stream"], "\(name)").replacing("product:", with: "product:\n    list: LIST")
            let fold = try #require(blocks["yaml fold"], "\(name)")
            let elements = try #require(blocks["json element"], "\(name)").split(separator: "\n").map(String.init)
            let documents = try #require(blocks["json document"], "\(name)").split(separator: "\n").map(String.init)
            try await Installation.run(["config/models/product.yaml": "version: 1\nmodel: product\nstream: product\n" + fold]) { installation in
                try installation.write("config/millrace.yaml", "version: 1\n" + streams.replacing("LIST", with: "\"\(installation.list())\""))
                let pushed = try await installation.millrace("push", "product", input: elements.joined(separator: "\n"))
                #expect(pushed.code == 0, "\(name): \(pushed.errors)")
                let receipt = try await installation.millrace("drain", "--once")
                let parked = (blocks["text parked"] ?? "").split(separator: "\n").map(String.init)
                #expect(receipt.code == (parked.isEmpty ? 0 : 1), "\(name): \(receipt.output) \(receipt.errors)")
                let letters = try await installation.jsonLines("dead", "list", "--all")
                #expect(letters.map { "\($0["problem"]?.asString ?? "") \($0["key"]?.asString ?? "")" } == parked, "\(name)")
                for expected in documents {
                    let id = try #require(JSONText.parse(expected).get().asDocument?["_id"]?.asString)
                    let ended = try await installation.millrace("get", "product", id, "--json")
                    #expect(ended.output == expected + "\n", "\(name): \(ended.errors)")
                }
                #expect(try await installation.documents("product").count == documents.count, "\(name)")
            }
        }
    }

    @Test func `what was logged is read as it was then, whatever the stream's format is now`() async throws {
        let model = "version: 1\nmodel: product\nstream: product\nfold:\n  priced: { $set: { amount: $data.amount } }\n"
        try await Installation.run(["config/models/product.yaml": model]) { installation in
            func use(_ format: String) throws {
                try installation.write(
                    "config/millrace.yaml", "version: 1\nstreams:\n  product: { list: \"\(installation.list())\", format: \(format) }\n")
            }
            func push(_ element: String) async throws {
                let pushed = try await installation.millrace("push", "product", input: element)
                #expect(pushed.code == 0)
                let drained = try await installation.millrace("drain", "--once")
                #expect(drained.code == 0, "\(drained.errors)")
            }
            try use("cloudevents")
            try await push(#"{"specversion":"1.0","id":"1","source":"/a","type":"priced","subject":"p","data":{"amount":1}}"#)
            try use("{ eventId: /id, eventType: /what, key: /whose, data: /body }")
            try await push(#"{"id":"2","what":"priced","whose":"q","body":{"amount":2}}"#)
            try use("native")
            try await push(#"{"eventId":"3","eventType":"priced","key":"r","data":{"amount":3}}"#)
            let events = try await installation.jsonLines("events", "product")
            #expect(events.map { $0["eventId"] } == ["/a 1", "2", "3"])
            #expect(try await installation.documents("millrace.log").map { $0["format"] } == [2, 2, 1])

            // The documents and the checkpoint are gone: what is folded again is read from the log.
            let builds = try await installation.documents("millrace.checkpoints")
            #expect(!builds.isEmpty)
            try await installation.command(["delete": "product@1", "deletes": [["q": [:], "limit": 0]], "writeConcern": ["w": "majority"]])
            try await installation.command(["delete": "millrace.checkpoints", "deletes": [["q": [:], "limit": 0]], "writeConcern": ["w": "majority"]])
            let again = try await installation.millrace("drain", "--once")
            #expect(again.code == 0, "\(again.errors)")
            #expect(try await installation.documents("product").compactMap { $0["amount"]?.asInteger }.sorted() == [1, 2, 3])
        }
    }
}
