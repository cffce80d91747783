import ArgumentParser
import Definitions
import Events
import Foundation
import Models
import MongoStore
import Projector
import Values

struct SnapshotCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "snapshot", abstract: "Keeps what the documents are now, by the log: a place in history that get --at starts from.",
        discussion: """
            Made from the snapshot before and the events since, never from the documents themselves, beside a running drain. The newest of each model \
            and partition are kept. Exits 75 when somebody else reconciles the model, or makes a snapshot of it.
            """
    )

    @OptionGroup var options: GlobalOptions

    @Argument(help: "Models; all when none is named.")
    var models: [String] = []

    @Option(help: "How many are kept of each model and partition.")
    var keep = 30

    func validate() throws {
        guard keep > 0 else { throw ValidationError("--keep takes a number from 1 on") }
    }

    func run() async throws {
        let (made, incarnation) = try await Ending.of {
            let configuration = try options.load()
            for model in models { try configuration.require(model: model) }
            let reader = try await Reader(configuration, connections: SnapshotsRun.connections)
            let run = try SnapshotsRun(reader, models: models, keep: keep)
            let made = try await interruptible { try await run.run() }
            return (made, reader.installation?.incarnation ?? "")
        }
        if options.json {
            Output.line(JSON.write(["snapshots": .array(made.map { .document(document($0, incarnation)) })]))
        } else if made.isEmpty {
            Output.line("no model has a build yet")
        } else {
            show(made, incarnation)
        }
    }

    private func show(_ made: [SnapshotsRun.Made], _ incarnation: String) {
        Output.table(
            ["model", "position", "logged until", "documents", "bytes", "events since the one before", "seconds"],
            made.map { made in
                let snapshot = made.snapshot
                return [
                    made.model, position(snapshot, incarnation) ?? "-", snapshot.time == 0 ? "-" : DateTime.format(milliseconds: snapshot.time),
                    Output.count(snapshot.documents), Output.count(snapshot.bytes), Output.count(made.events),
                    String(format: "%.2f", made.lasted / .seconds(1)),
                ]
            })
    }

    private func document(_ made: SnapshotsRun.Made, _ incarnation: String) -> Document {
        let snapshot = made.snapshot
        return [
            "model": .string(made.model), "build": .string(snapshot.id.build.description), "partition": .int64(Int64(snapshot.id.partition.number)),
            "offset": .int64(snapshot.id.offset), "position": position(snapshot, incarnation).map(Value.string) ?? .null,
            "loggedAt": snapshot.time == 0 ? .null : .date(snapshot.time), "documents": .int64(snapshot.documents), "bytes": .int64(snapshot.bytes),
            "events": .int64(made.events), "seconds": .double(made.lasted / .seconds(1)),
        ]
    }

    /// Of the last event that is in it, as `get --position` takes it.
    private func position(_ snapshot: Snapshot, _ incarnation: String) -> String? {
        guard snapshot.id.offset > 0 else { return nil }
        return Position(incarnation: incarnation, partition: snapshot.id.partition, offset: snapshot.id.offset - 1).description
    }
}
