import ArgumentParser
import Definitions
import Events
import Models
import MongoStore
import Projector
import Values

struct GetCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "get", abstract: "Prints one document.", discussion: "Exits 1 when there is none. --json prints it on one line."
    )

    @OptionGroup var options: GlobalOptions

    @Argument(help: "The model.")
    var model: String

    @Argument(help: "The document's id: the key of its events.")
    var id: String

    func run() async throws {
        let read = try await Ending.of { () async throws -> (document: Document, now: Int64)? in
            let configuration = try options.load()
            try configuration.require(model: model)
            let reader = try await Reader(configuration)
            return try await reader.live(model) { build -> (document: Document, now: Int64)? in
                guard let document = try await reader.readings.document(of: build.id, key: id) else { return nil }
                // By the server's clock, which the log's times come from.
                return (document, build.expires ? try await reader.log.clock() : 0)
            } ?? nil
        }
        guard let read, !(StoredDocument(read.document)?.isExpired(at: read.now) ?? false) else {
            Ending.complain("no-such-document: \(model) has no document \(id)")
            throw Ending.notGood
        }
        var found = read.document
        guard found[StoredDocument.orphanField] == nil else {
            Ending.complain("orphan: \(model) has a document \(id) that no root event has made whole yet; events --key \(id) shows what there was")
            throw Ending.notGood
        }
        for name in StoredDocument.hiddenFields { found[name] = nil }
        Output.line(options.json ? JSON.write(.document(found)) : JSON.pretty(.document(found)))
    }
}
