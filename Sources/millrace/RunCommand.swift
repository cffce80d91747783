import ArgumentParser
import Definitions
import Events
import Jobs
import Logging
import ServiceLifecycle
import UnixSignals

struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "The service: runs every job until it is stopped.",
        discussion: "SIGTERM finishes the batch under way and exits 0."
    )

    @OptionGroup var options: GlobalOptions

    func run() async throws {
        try await Ending.of {
            let logger = options.logger
            let configuration = try options.load()
            guard !configuration.jobs.isEmpty else {
                throw Refusal(.badConfiguration, "there is no job in \(options.jobs): add \(options.jobs)/drain.yaml with version: 1 and job: drain")
            }
            let work = WorkService(configuration: configuration, logger: logger)
            let settings = ServiceGroupConfiguration(services: [work], gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
            try await ServiceGroup(configuration: settings).run()
        }
    }
}

/// Opens the installation and runs every job. Opening is part of it, so that a stop during start-up is a stop like any
/// other.
private struct WorkService: Service {
    let configuration: Configuration
    let logger: Logger

    /// A batch takes a few seconds at most; the limit is for servers that do not answer.
    private static let patience = Duration.seconds(9)

    func run() async throws {
        try await withGracefulShutdownHandler {
            try await work()
        } onGracefulShutdown: {
            // Not ServiceGroup's own limits, which end the process by a trap, with a trace of its stack.
            Ending.leave(within: Self.patience)
        }
    }

    private func work() async throws {
        let runtime = try await Runtime.open(configuration, logger: logger)
        if Task.isShuttingDownGracefully { return }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await runtime.makeIndexes() }
            let retention = RunRetention(runtime, keep: configuration.keepRuns, logger: logger)
            group.addTask { try await retention.run() }
            let builds = Task { await runtime.lookAfterBuilds() }
            defer { builds.cancel() }
            for job in configuration.jobs {
                switch job.work {
                case .drain(let drain):
                    let service = DrainService(name: job.name, runtime, streams: drain.streams, poll: drain.poll, every: drain.every, logger: logger)
                    group.addTask { try await service.run() }
                case .bridge(let bridge):
                    let service = try await runtime.bridge(bridge, name: job.name)
                    group.addTask { try await service.run() }
                }
            }
            try await group.waitForAll()
        }
    }
}
