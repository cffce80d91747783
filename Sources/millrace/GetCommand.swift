import ArgumentParser
import Definitions
import Events
import Models
import MongoStore
import Projector
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
        let read = try await Ending.of { () async throws -> (document: Document, now: Int64)? in
            let configuration = try options.load()
            try configuration.require(model: model)
            let reader = try await Reader(configuration)
            if at != nil || position != nil { return try await reader.live(model) { try await past(reader, $0) } ?? nil }
            return try await reader.live(model) { build -> (document: Document, now: Int64)? in
                guard let document = try await reader.readings.document(of: build.id, key: id) else { return nil }
                // By the server's clock, which the log's times come from.
                return (document, build.expires ? try await reader.log.clock() : 0)
            } ?? nil
        }
        let then = at.map { " at \($0)" } ?? position.map { " at \($0)" } ?? ""
        guard let read, !(StoredDocument(read.document)?.isExpired(at: read.now) ?? false) else {
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

    /// The document as the log makes it then, and when that was.
    private func past(_ reader: Reader, _ build: StoredBuild) async throws -> (document: Document, now: Int64)? {
        let (definition, partitions) = try reader.definition(of: build)
        let partition = partitions[Partitioning.partition(of: id.utf8, count: partitions.count)]
        let (offset, time) = try await end(reader, partition)
        let checkpoint = try await reader.checkpoint(of: build.id, partition)
        guard offset <= checkpoint.offset else {
            throw Refusal(.notCaughtUp, "\(model) has taken \(partition) into effect up to offset \(checkpoint.offset), and this is behind it: try again")
        }
        let past = PastDocuments(definition, partition, snapshots: reader.snapshots, log: reader.log)
        return try await past.document(of: id, below: offset).document.flatMap { (try Document(bson: $0.bson), time) }
    }

    /// The offset that what is asked for ends before, and the time of logging by which documents have expired or not.
    private func end(_ reader: Reader, _ partition: PartitionID) async throws -> (offset: Int64, time: Int64) {
        if let position {
            guard let place = Position(position), place.partition.stream == partition.stream else {
                throw Refusal(.badInput, "--position \(position) is not a position of \(partition.stream): take one that millrace events printed")
            }
            let incarnation = reader.installation?.incarnation ?? ""
            guard place.incarnation == incarnation else {
                throw Refusal(.badInput, "--position \(position) is a position in another log: this one is \(incarnation)")
            }
            guard place.partition == partition else {
                throw Refusal(.badInput, "--position \(position) is in another partition than \(id), which is in \(partition)")
            }
            let tail = try await reader.readings.tail(of: partition).offset
            guard place.offset < tail, let logged = try await reader.readings.logged(at: place.offset, of: partition) else {
                throw Refusal(.badInput, "--position \(position) is behind the log's end, \(tail)")
            }
            return (place.offset + 1, logged)
        }
        let time = try DateTime.argument(at, "--at") ?? 0
        guard time <= (try await reader.log.clock()) else { throw Refusal(.badInput, "--at \(DateTime.format(milliseconds: time)) is still to come") }
        return (try await reader.readings.offset(at: time + 1, of: partition), time)
    }
}
