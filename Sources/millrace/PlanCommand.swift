import ArgumentParser
import Definitions
import Events
import Models
import MongoStore
import Projector
import Values

struct PlanCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan", abstract: "Says what the files ask for that is not live yet, and what it costs.",
        discussion: """
            A change of a model's fold part needs a rebuild, one of its serve part is applied in place. Exits 1 when something is to be \
            done; a model that is gone is only told.
            """
    )

    @OptionGroup var options: GlobalOptions

    func run() async throws {
        let plan = try await Ending.of { try await read() }
        if options.json { Output.line(JSON.write(.document(document(plan)))) } else { show(plan) }
        if plan.isToDo { throw Ending.notGood }
    }

    private func read() async throws -> Plan {
        let configuration = try options.load()
        let reader = try await Reader(configuration)
        var logged: [String: Int64] = [:]
        for stream in configuration.streams {
            for partition in reader.partitions(of: stream) {
                logged[stream.name, default: 0] += try await reader.readings.tail(of: partition).totals.originals
            }
        }
        let live = reader.builds.mapValues { build in
            Plan.Live(
                build: build.id.description, stream: build.stream, source: build.source, versions: build.versions, foldHash: build.foldHash,
                foldVersion: build.foldVersion
            )
        }
        return Plan(configuration.models, live: live, logged: logged)
    }

    private func show(_ plan: Plan) {
        Output.table(
            ["model", "build", "state", "events to fold", "what"],
            plan.entries.map { [$0.model, $0.build ?? "-", $0.state.rawValue, Output.count($0.eventsToFold), what($0)] }
        )
        Output.line(plan.isToDo ? "something is to be done" : "nothing is to be done")
    }

    private func what(_ entry: Plan.Entry) -> String {
        switch entry.state {
        case .new: "made and folded when a worker starts"
        case .unchanged: ""
        case .gone: "no file defines it: its documents stay as they are"
        case .changed:
            [
                entry.fold.isEmpty ? nil : "rebuild: \(entry.fold.joined(separator: ", "))",
                entry.serve.isEmpty ? nil : "in place: \(entry.serve.joined(separator: ", "))",
            ].compactMap(\.self).joined(separator: "; ")
        }
    }

    private func document(_ plan: Plan) -> Document {
        let models = plan.entries.map { entry in
            Document.Field(
                entry.model,
                [
                    "build": entry.build.map(Value.string) ?? .null, "state": .string(entry.state.rawValue),
                    "fold": .array(entry.fold.map(Value.string)), "serve": .array(entry.serve.map(Value.string)),
                    "eventsToFold": .int64(entry.eventsToFold),
                ]
            )
        }
        return ["models": .document(Document(models)), "toDo": .bool(plan.isToDo)]
    }
}
