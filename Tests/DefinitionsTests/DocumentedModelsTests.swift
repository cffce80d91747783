import EventFixtures
import Events
import Foundation
import Models
import Projector
import Testing
import Values

@testable import Definitions

/// The examples of docs/models.md, as they stand there.
@Suite struct DocumentedModelsTests {
    struct Example: Sendable, CustomTestStringConvertible {
        var model: String
        var events: [String]
        var document: String

        var testDescription: String { model.split(separator: "\n").dropFirst().first.map(String.init) ?? "" }
    }

    /// Each is a block of a model, one of events and one of the document.
    static let examples: [Example] = {
        guard let page = try? String(contentsOfFile: root + "docs/models.md", encoding: .utf8) else { return [] }
        func blocks(_ kind: String) -> [String] {
            page.split(separator: "```\(kind)\n").dropFirst().compactMap { $0.split(separator: "\n```").first.map(String.init) }
        }
        return zip(blocks("yaml model"), zip(blocks("json events"), blocks("json document"))).map {
            Example(model: $0 + "\n", events: $1.0.split(separator: "\n").map(String.init), document: $1.1)
        }
    }()

    @Test func `the cases of the page are good for the models before them`() throws {
        let page = try String(contentsOfFile: root + "docs/models.md", encoding: .utf8)
        let parts = page.components(separatedBy: "```yaml model with cases\n").dropFirst()
        #expect(parts.count > 0)
        for part in parts {
            let blocks = part.components(separatedBy: "```")
            let model = try ModelReader.read(source: blocks[0], file: "models.md")
            let source = try #require(blocks.first { $0.hasPrefix("yaml cases\n") })
            for result in try cases(String(source.dropFirst("yaml cases\n".count))).cases.map({ $0.run(model, StreamSettings(name: model.stream), file: "") }) {
                #expect(result.isGood, "\(result.case.name): \(result.differences)")
            }
        }
    }

    @Test func `the page has examples`() { #expect(Self.examples.count > 5) }

    @Test(arguments: examples)
    func `the events make the document`(example: Example) throws {
        let model = try ModelReader.read(source: example.model, file: "models.md")
        let chunks = TestLog().append(example.events)
        var rehearsal = Rehearsal(fold: model.fold, build: BuildID(model: model.name, number: 1), documents: [], from: 0)
        try rehearsal.take(chunks, to: Int64(example.events.count))
        #expect(rehearsal.deadLetters.isEmpty)
        var document = try chunks.first?.chunk.keys.first.flatMap { try rehearsal.document(of: $0)?.fields }
        for name in StoredDocument.hiddenFields { document?[name] = nil }
        #expect(document.map { JSON.write(.document($0)) } == example.document)
    }
}
