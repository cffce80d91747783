import ArgumentParser
import Definitions
import Events
import Health
import Jobs
import Logging
import MongoStore
import ReadAPI
import ServiceLifecycle
import UnixSignals

struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "The service: runs every job until it is stopped.",
        discussion: """
            SIGTERM finishes the batch under way and exits 0. SIGHUP reads settings, models and jobs again, and everything goes on as it was when \
            they are refused.
            """
    )

    @OptionGroup var options: GlobalOptions

    @Option(name: .customLong("job"), help: "Only this job; may be given again for others.")
    var names: [String] = []

    @Flag(inversion: .prefixedNo, help: "Whether it serves the read API too.")
    var api = true

    func run() async throws {
        try await Ending.of {
            let logger = options.logger
            var configuration = try options.load()
            if !api { configuration.api.listen = .off }
            guard !configuration.jobs.isEmpty else {
                throw Refusal(.badConfiguration, "there is no job in \(options.jobs): add \(options.jobs)/drain.yaml with version: 1 and job: drain")
            }
            for name in names { try configuration.require(job: name) }
            let work = WorkService(configuration: configuration, options: options, names: names, logger: logger)
            let settings = ServiceGroupConfiguration(services: [work], gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
            try await ServiceGroup(configuration: settings).run()
        }
    }
}

/// Opens the installation and runs every job. Opening is part of it, so that a stop during start-up is a stop like any
/// other.
private struct WorkService: Service {
    let configuration: Configuration
    let options: GlobalOptions
    /// Only these jobs, unless there are none.
    let names: [String]
    let logger: Logger

    /// A batch takes a few seconds at most; the limit is for servers that do not answer.
    private static let patience = Duration.seconds(9)

    func run() async throws {
        try await withGracefulShutdownHandler {
            try await HealthDoor.open(configuration, logger: logger) { health in
                try await ReadDoor.open(ReadDoor.door(configuration.api), configuration.api, logger: logger) { api in try await work(health, api) }
            }
        } onGracefulShutdown: {
            // Not ServiceGroup's own limits, which end the process by a trap, with a trace of its stack.
            Ending.leave(within: Self.patience)
        }
    }

    private func work(_ health: HealthService?, _ api: ReadService?) async throws {
        // From the start on: otherwise it would end the process.
        let hangUps = await UnixSignalsSequence(trapping: .sighup)
        let batches = BatchMetrics()
        let runtime = try await Runtime.open(configuration, meter: batches, logger: logger)
        if Task.isShuttingDownGracefully { return }
        api?.serve(try await ReadRuntime.open(configuration, incarnation: runtime.installation.incarnation).setup)
        var jobs = JobList(names: names)
        try await jobs.take(configuration.jobs, on: runtime)
        let runner = JobRunner(jobs.jobs, runtime.office, logger: logger)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await runtime.makeIndexes() }
            health?.answer(from: RuntimeHealth(runtime: runtime, batches: batches, api: api))
            group.addTask { [jobs] in await reload(jobs, runtime, batches, runner, hangUps, health, api) }
            try await runner.run()
            group.cancelAll()
        }
    }

    /// What goes on beside the jobs, until it is cancelled.
    private func lookAfter(_ runtime: Runtime) async {
        async let builds: Void = runtime.lookAfterBuilds()
        try? await RunRetention(runtime, keep: runtime.configuration.keepRuns, logger: logger).run()
        await builds
    }

    /// Takes what the files say whenever it is told to. Where more than jobs has changed, the installation is opened anew, and
    /// what runs all the time moves over to it: each drain finishes its batch and gives its partitions to the next. Its builds
    /// are looked after meanwhile.
    private func reload(
        _ jobs: JobList, _ runtime: Runtime, _ batches: BatchMetrics, _ runner: JobRunner, _ hangUps: UnixSignalsSequence, _ health: HealthService?,
        _ api: ReadService?
    ) async {
        var (jobs, runtime) = (jobs, runtime)
        var care = Task { [runtime] in await lookAfter(runtime) }
        defer { care.cancel() }
        for await _ in hangUps.cancelOnGracefulShutdown() {
            do {
                let now = try options.load()
                if now.isOther(than: runtime.configuration) {
                    let opened = try await Runtime.open(now, meter: batches, logger: logger)
                    try await jobs.take(now.jobs, on: opened)
                    api?.serve(try await ReadRuntime.open(now, incarnation: opened.installation.incarnation).setup)
                    runtime = opened
                    care.cancel()
                    care = Task { await lookAfter(opened) }
                    runner.replace(jobs.jobs)
                    health?.answer(from: RuntimeHealth(runtime: runtime, batches: batches, api: api))
                    await runtime.makeIndexes()
                } else {
                    try await jobs.take(now.jobs, on: runtime)
                    runner.replace(jobs.jobs)
                }
                if now.healthListen != configuration.healthListen || (configuration.api.listen != .off && now.api.listen != configuration.api.listen) {
                    logger.warning("where health, metrics or the read API are served has changed: that needs a restart, and all else is in effect")
                }
                logger.info("the files were read again", metadata: ["jobs": "\(jobs.jobs.map(\.name).joined(separator: ", "))"])
            } catch {
                logger.error("everything goes on as it was: what the files say is refused", metadata: ["error": "\(error)"])
            }
        }
    }
}
