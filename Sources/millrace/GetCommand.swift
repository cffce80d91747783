import ArgumentParser
import Definitions
import Events
import Models
import MongoStore
import Projector
import Reads
import Values

struct GetCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "get", abstract: "Prints one document, as it is or as it was.",
        discussion: """
            As it was: by the log, under the live build's definition, from the nearest snapshot before. Exits 1 when there is none, 75 when what is asked \
            for has not taken effect yet. --json prints it on one line.
            """
    )

    @OptionGroup var options: GlobalOptions

    @Argument(help: "The model.")
    var model: String

    @Argument(help: "The document's id: the key of its events.")
    var id: String

    @Option(help: "As it was when everything up to this time was logged, such as 2026-11-20T10:00:00Z.")
    var at: String?

    @Option(help: "As it was right after the event at this position, which millrace events prints.")
    var position: String?

    func validate() throws {
        if at != nil, position != nil { throw ValidationError("--at and --position both say when: give one") }
    }

    func run() async throws {
        let read = try await Ending.of { () async throws -> (document: Document, time: Int64)? in
            let configuration = try options.load()
            try configuration.require(model: model)
            let moment = try moment()
            let reader = try await Reader(configuration)
            if let moment {
                return try await reader.live(model) { try await PastReading(reader: reader).document(of: id, in: $0, at: moment) } ?? nil
            }
            return try await reader.live(model) { build -> (document: Document, time: Int64)? in
                guard let document = try await reader.readings.document(of: build.id, key: id) else { return nil }
                // By the server's clock, which the log's times come from.
                return (document, build.expires ? try await reader.log.clock() : 0)
            } ?? nil
        }
        let then = at.map { " at \($0)" } ?? position.map { " at \($0)" } ?? ""
        guard let read, !(StoredDocument(read.document)?.isExpired(at: read.time) ?? false) else {
            Ending.complain("no-such-document: \(model) has no document \(id)\(then)")
            throw Ending.notGood
        }
        var found = read.document
        guard found[StoredDocument.orphanField] == nil else {
            Ending.complain("orphan: \(model) has a document \(id)\(then) that no root event has made whole yet; events --key \(id) shows what there was")
            throw Ending.notGood
        }
        for name in StoredDocument.hiddenFields { found[name] = nil }
        Output.line(try DocumentText.write(found, isPretty: !options.json))
    }

    /// When it is to be shown; nil for now.
    private func moment() throws -> PastMoment? {
        if let position {
            guard let position = Position(position) else {
                throw Refusal(.badInput, "--position \(position) is not a position: take one that millrace events printed")
            }
            return .position(position)
        }
        return try DateTime.argument(at, "--at").map { .time($0) }
    }
}
