import ArgumentParser
import Definitions
import Events
import Models
import MongoStore
import Projector
import RedisBuffer
import Values

struct CheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Validates the configuration, and says which models need a rebuild.",
        discussion: "Every problem is printed with file, line and column. Exits 78 when there is one. Works without servers, and then says so."
    )

    @OptionGroup var options: GlobalOptions

    /// Long enough for a server that is there.
    private static let patience = Duration.seconds(1)

    func run() async throws {
        let (configuration, needs) = try await Ending.of { () async throws -> (Configuration, [String: String]) in
            let configuration = try load()
            return (configuration, await state(of: configuration))
        }
        if options.json {
            let models = configuration.models.map { model in
                Document.Field(model.name, ["stream": .string(model.stream), "class": "keyed", "state": .string(needs[model.name] ?? "unknown")])
            }
            Output.line(JSON.write(["problems": [], "models": .document(Document(models))]))
        } else {
            Output.table(
                ["model", "stream", "class", "state"],
                configuration.models.map { [$0.name, $0.stream, "keyed", needs[$0.name] ?? "unknown"] }
            )
            Output.line("good: \(configuration.streams.count) streams, \(configuration.models.count) models, \(configuration.jobs.count) jobs")
        }
    }

    /// The configuration, when nothing is wrong with it and its cases.
    private func load() throws -> Configuration {
        let check = options.check()
        let cases = CaseFiles(configuration: options.directory, models: check.configuration.map { Set($0.models.map(\.name)) })
        let problems = check.problems + cases.problems
        guard let configuration = check.configuration, problems.isEmpty else { throw ConfigurationProblems(problems) }
        return configuration
    }

    /// What each model's live build needs, where MongoDB can be asked.
    private func state(of configuration: Configuration) async -> [String: String] {
        do {
            let reader = try await Reader(configuration, selection: Self.patience)
            return Dictionary(
                configuration.models.map { model in
                    let state =
                        switch reader.builds[model.name] {
                        case nil: "new"
                        case let build? where !build.isFoldable: "not projected: folded by version \(build.foldVersion)"
                        case _? where reader.needsRebuild(model): "rebuild needed"
                        case _?: "live"
                        }
                    return (model.name, state)
                }, uniquingKeysWith: { $1 }
            )
        } catch {
            Ending.complain("the state of the models is unknown: \(error)")
            return [:]
        }
    }
}
