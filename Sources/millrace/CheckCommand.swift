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
    /// Long enough for an election to end.
    private static let onlinePatience = Duration.seconds(15)

    @Flag(help: "Also ask the servers: what a worker would be refused for, lists, and indexes. Exits 69 when one cannot be reached.")
    var online = false

    func run() async throws {
        let check = try await Ending.of { () async throws -> Check in
            let configuration = try load()
            let states = await state(of: configuration)
            return Check(
                configuration: configuration, states: states, online: online ? await OnlineCheck(configuration, patience: Self.onlinePatience) : nil
            )
        }
        if options.json { Output.line(JSON.write(.document(document(check)))) } else { show(check) }
        if let code = check.online?.exitCode { throw code }
    }

    private struct Check {
        var configuration: Configuration
        var states: [String: String]
        var online: OnlineCheck?
    }

    private func show(_ check: Check) {
        let configuration = check.configuration
        Output.table(
            ["model", "stream", "class", "state"],
            configuration.models.map { [$0.name, $0.stream, "keyed", check.states[$0.name] ?? "unknown"] }
        )
        if let online = check.online, !online.findings.isEmpty {
            Output.line("")
            Output.table(["server", "is", "problem", "because"], online.findings.map { [$0.subject, $0.kind.rawValue, $0.problem.rawValue, $0.message] })
            Output.line("")
        }
        let counts = "\(configuration.streams.count) streams, \(configuration.models.count) models, \(configuration.jobs.count) jobs"
        Output.line(check.online?.exitCode == nil ? "good: \(counts)" : "the configuration is good, and the servers are not: \(counts)")
    }

    private func document(_ check: Check) -> Document {
        let models = check.configuration.models.map { model in
            Document.Field(model.name, ["stream": .string(model.stream), "class": "keyed", "state": .string(check.states[model.name] ?? "unknown")])
        }
        var document: Document = ["problems": [], "models": .document(Document(models))]
        guard let online = check.online else { return document }
        let servers = online.findings.map { finding -> Value in
            [
                "subject": .string(finding.subject), "kind": .string(finding.kind.rawValue), "problem": .string(finding.problem.rawValue),
                "message": .string(finding.message),
            ]
        }
        document.append("servers", .array(servers))
        return document
    }

    /// The configuration, when nothing is wrong with it and its cases.
    private func load() throws -> Configuration {
        let check = options.check()
        let cases = CaseFiles(configuration: options.directory, models: check.configuration.map { Set($0.models.map(\.name)) })
        let problems = check.problems + cases.problems
        guard let configuration = check.configuration, problems.isEmpty else {
            if options.json { Output.line(JSON.write(["problems": .array(problems.map(Self.document)), "models": [:]])) }
            throw ConfigurationProblems(problems)
        }
        return configuration
    }

    private static func document(_ problem: ConfigurationProblem) -> Value {
        [
            "file": .string(problem.file), "line": problem.line.map { .int64(Int64($0)) } ?? .null,
            "column": problem.column.map { .int64(Int64($0)) } ?? .null, "problem": .string(problem.problem.rawValue),
            "message": .string(problem.message), "suggestion": problem.suggestion.map(Value.string) ?? .null,
        ]
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
