import ArgumentParser
import Definitions
import Events
import Models
import MongoStore
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
        let found = try await Ending.of { () async throws -> Document? in
            let configuration = try options.load()
            try configuration.require(model: model)
            let reader = try await Reader(configuration)
            guard let build = reader.builds[model] else { return nil }
            return try await reader.readings.document(of: build.id, key: id)
        }
        guard var found else {
            Ending.complain("no-such-document: \(model) has no document \(id)")
            throw Ending.notGood
        }
        guard found[StoredDocument.orphanField] == nil else {
            Ending.complain("orphan: \(model) has a document \(id) that no root event has made whole yet; events --key \(id) shows what there was")
            throw Ending.notGood
        }
        for name in StoredDocument.hiddenFields { found[name] = nil }
        Output.line(options.json ? JSON.write(.document(found)) : JSON.pretty(.document(found)))
    }
}
