import ArgumentParser
import Definitions
import Projector
import Values

struct PruneCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "prune", abstract: "Removes the oldest events of the log.",
        discussion: """
            What is removed is gone: a model cannot be built anew from the log, nor the history of a key be told. So it needs --from-source (every \
            model of the stream can be loaded from elsewhere) or --accept-no-rebuild. Events go that were logged before --before, or earlier than the \
            stream's log.retain says (default: forever, so that nothing goes). What a checkpoint of any build, a follower by name or the dedupe window \
            needs stays, and so does the last chunk. Exits 2 when it declines, 75 when somebody else prunes the stream.
            """
    )

    @OptionGroup var options: GlobalOptions

    @Argument(help: "Streams; all when none is named.")
    var streams: [String] = []

    @Option(help: "Remove what was logged before this time, such as 2026-11-20T10:00:00Z.")
    var before: String?

    @Flag(help: "Every model can be built anew from a source of truth.")
    var fromSource = false

    @Flag(help: "No model needs to be built anew from the log.")
    var acceptNoRebuild = false

    @Flag(help: "Say what would go, and change nothing.")
    var dryRun = false

    func run() async throws {
        let outcomes = try await Ending.of { () async throws -> [LogPrune.Outcome] in
            let time = try DateTime.argument(before, "--before")
            let configuration = try options.load()
            try configuration.require(streams: streams)
            guard fromSource || acceptNoRebuild || dryRun else {
                Ending.complain(
                    "declined: models cannot be built anew from what is removed; say --from-source where they can be from elsewhere, else --accept-no-rebuild")
                throw Ending.declined
            }
            let reader = try await Reader(configuration, connections: PruneRun.connections)
            let run = try PruneRun(reader, streams: streams, isFromSource: fromSource)
            return try await interruptible { try await dryRun ? run.results(before: time, dryRun: true) : run.run(before: time) }
        }
        if options.json {
            Output.line(JSON.write(["dryRun": .bool(dryRun), "partitions": .array(outcomes.map { .document($0.document) })]))
        } else {
            Output.table(
                ["partition", "began at", dryRun ? "would begin at" : "begins at", "chunks", "elements", "merged", "held back by"], outcomes.map(\.row))
        }
    }
}

extension LogPrune.Outcome {
    fileprivate var row: [String] {
        ["\(partition)", Output.count(before), Output.count(start), Output.count(chunks), Output.count(elements), Output.count(merged), heldBack ?? ""]
    }
}
