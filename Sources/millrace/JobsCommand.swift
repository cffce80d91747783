import ArgumentParser
import Definitions
import Events
import Jobs
import MongoStore
import Projector
import Schedules
import Values

struct JobsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "jobs", abstract: "Jobs: when they run, what became of them, and runs by hand.",
        subcommands: [JobsListCommand.self, JobsShowCommand.self, JobsRunCommand.self, JobsPauseCommand.self, JobsResumeCommand.self]
    )
}

struct JobsListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Lists the jobs with their schedules and states.", discussion: "Exits 1 when a job is bad: its last run was not good."
    )

    @OptionGroup var options: GlobalOptions

    func run() async throws {
        let jobs = try await Ending.of { try await ShownJob.all(Reader(options.load())) }
        if options.json {
            Output.line(JSON.write(["jobs": .array(jobs.map { .document($0.document) })]))
        } else if jobs.isEmpty {
            Output.line("no jobs")
        } else {
            Output.table(["job", "kind", "schedule", "state", "last run", "outcome", "next run"], jobs.map(\.row))
        }
        if jobs.contains(where: \.isBad) { throw Ending.notGood }
    }
}

struct JobsShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Prints one job with its next three times.", discussion: "--json prints it on one line."
    )

    @OptionGroup var options: GlobalOptions

    @Argument(help: "The job.")
    var job: String

    func run() async throws {
        let shown = try await Ending.of {
            let configuration = try options.load()
            try configuration.require(job: job)
            return try await ShownJob.all(Reader(configuration)).first { $0.definition.name == job }
        }
        guard let shown else { return }
        Output.line(options.json ? JSON.write(.document(shown.document)) : JSON.pretty(.document(shown.document)))
    }
}

struct JobsRunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Runs a job now, in this process, and prints its receipt.",
        discussion: """
            Also one that is paused. Exits 1 when the run was not good, 75 when somebody is at it. It is not tried again, and its schedule goes on.
            """
    )

    @OptionGroup var options: GlobalOptions

    @Argument(help: "The job.")
    var job: String

    func run() async throws {
        let run = try await Ending.of {
            let configuration = try options.load()
            try configuration.require(job: job)
            let runtime = try await Runtime.open(configuration, logger: options.logger)
            let office = runtime.office
            guard let definition = configuration.jobs.first(where: { $0.name == job }),
                case .scheduled(let timetable, let work) = try await runtime.work(of: definition)
            else { throw Refusal(.badInput, "the job \(job) has no end, and no runs: millrace run --job \(job) keeps it going, drain --once drains once") }
            let stop = StopSignal()
            let record = try await interruptible {
                try await withTaskCancellationHandler {
                    let state = try await office.store.states(of: [job]).states[job] ?? JobState(handled: 0)
                    return try await BatchRun(job, timetable, work, office, logger: options.logger).run(attempt: 0, from: state, until: stop)
                } onCancel: {
                    stop.request()
                }
            }
            guard let record else { throw Refusal(.leaseHeld, "somebody has just run the job \(job): look at its receipt, or try again") }
            return try await runtime.runs.run(record.id)
        }
        guard let run else { return }
        Output.line(options.json ? JSON.write(.document(run.document)) : JSON.pretty(.document(run.document)))
        if run.outcome.verdict != .good { throw Ending.notGood }
    }
}

struct JobsPauseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pause", abstract: "Keeps a job from running, on all runners and until it is resumed.",
        discussion: "A run under way goes on to its end; a drain finishes its batch."
    )

    @OptionGroup var options: GlobalOptions

    @Argument(help: "The job.")
    var job: String

    func run() async throws { try await pause(job, true, options) }
}

struct JobsResumeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resume", abstract: "Lets a job run again.", discussion: "What was due during the pause is not made up for."
    )

    @OptionGroup var options: GlobalOptions

    @Argument(help: "The job.")
    var job: String

    func run() async throws { try await pause(job, false, options) }
}

private func pause(_ job: String, _ isPaused: Bool, _ options: GlobalOptions) async throws {
    try await Ending.of {
        let configuration = try options.load()
        try configuration.require(job: job)
        try await Reader(configuration).jobs.pause(job, isPaused)
    }
    let word = isPaused ? "paused" : "resumed"
    Output.line(options.json ? JSON.write(["job": .string(job), "paused": .bool(isPaused)]) : "\(word) \(job)")
}
