import ArgumentParser
import Definitions
import Events
import MongoStore
import Projector
import Values

struct RunsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "runs", abstract: "Receipts: what every run of a job did, when, and what came of it.",
        subcommands: [RunsListCommand.self, RunsShowCommand.self]
    )
}

struct RunsListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Lists runs, the newest first.", discussion: "With --json: the runs, and where the next page begins."
    )

    @OptionGroup var options: GlobalOptions

    @Option(help: "Only runs of this job.")
    var job: String?

    @Option(help: "Only runs of this kind.")
    var kind: RunKind?

    @Option(help: "Only runs that ended so.")
    var outcome: RunOutcome.Verdict?

    @Option(help: "Only runs that ended at this time or later, such as 2026-11-20T10:00:00Z.")
    var since: String?

    @Option(help: "At most so many runs.")
    var limit = 20

    @Option(help: "Only what follows this run in the list.")
    var after: String?

    private static let limitRange = 1...10_000

    func validate() throws {
        guard Self.limitRange.contains(limit) else { throw ValidationError("--limit is a number from 1 to 10000") }
    }

    func run() async throws {
        try await Ending.of {
            var filter = RunFilter()
            (filter.job, filter.kind, filter.verdict) = (job, kind, outcome)
            filter.since = try DateTime.argument(since, "--since")
            let reader = try await Reader(options.load())
            var last: PastRun?
            if let after {
                last = try await reader.runs.run(after)
                guard last != nil else { throw Refusal(.badInput, "--after \(after) is no run: take one that millrace runs list printed") }
            }
            var runs = try await reader.runs.page(filter, after: last, limit: limit + 1)
            let next = runs.count > limit ? runs[limit - 1].id : nil
            runs = Array(runs.prefix(limit))
            if options.json {
                Output.line(JSON.write(["runs": .array(runs.map { .document($0.document) }), "next": next.map(Value.string) ?? .null]))
            } else {
                show(runs)
                if let next { Ending.complain("there are more: --after \(next)") }
            }
        }
    }

    private func show(_ runs: [PastRun]) {
        guard !runs.isEmpty else { return Output.line("no runs") }
        Output.table(
            ["run", "job", "ended", "seconds", "outcome", "sums"],
            runs.map { [$0.id, $0.job, DateTime.format(milliseconds: $0.ended), $0.seconds, $0.outcome.verdict.rawValue, $0.summary] }
        )
    }
}

struct RunsShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Prints one receipt.", discussion: "Exits 1 when there is none. --json prints it on one line."
    )

    @OptionGroup var options: GlobalOptions

    @Argument(help: "The run's id.")
    var id: String

    func run() async throws {
        let run = try await Ending.of { try await Reader(options.load()).runs.run(id) }
        guard let run else {
            Ending.complain("no-such-run: there is no run \(id), or its receipt was kept long enough: see runs: { keep: … } in millrace.yaml")
            throw Ending.notGood
        }
        Output.line(options.json ? JSON.write(.document(run.document)) : JSON.pretty(.document(run.document)))
    }
}

extension RunKind: ExpressibleByArgument {}
extension RunOutcome.Verdict: ExpressibleByArgument {}
