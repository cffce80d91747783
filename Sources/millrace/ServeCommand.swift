import ArgumentParser
import Definitions
import Events
import Health
import Logging
import MongoStore
import ReadAPI
import ServiceLifecycle
import UnixSignals

struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "The read API alone: answers lookups over HTTP until it is stopped.",
        discussion: "It writes nothing. SIGHUP reads settings and models again. What a worker must make first is waited for."
    )

    @OptionGroup var options: GlobalOptions

    func run() async throws {
        try await Ending.of {
            let logger = options.logger
            let configuration = try options.load()
            guard configuration.api.listen != .off else { throw Refusal(.badConfiguration, "the read API is off: set api: listen:, or MILLRACE_API_LISTEN") }
            let settings = ServiceGroupConfiguration(
                services: [ServeService(configuration: configuration, options: options, logger: logger)], gracefulShutdownSignals: [.sigterm, .sigint],
                logger: logger)
            try await ServiceGroup(configuration: settings).run()
        }
    }
}

private struct ServeService: Service {
    let configuration: Configuration
    let options: GlobalOptions
    let logger: Logger

    /// Requests end by their deadlines; the limit is for clients that do not take their answers.
    private static let patience = Duration.seconds(9)

    func run() async throws {
        try await withGracefulShutdownHandler {
            var door = ReadDoor.door(configuration.api)
            // Its only work: where it cannot listen, there is nothing to do.
            door.address = door.address ?? .at(host: APISettings.standard.host, port: APISettings.standard.port)
            try await HealthDoor.open(configuration, logger: logger) { [door] health in
                try await ReadDoor.open(door, configuration.api, logger: logger) { service in
                    guard let service else { return }
                    health?.answer(from: ReadHealth(api: service))
                    try await serve(service)
                }
            }
        } onGracefulShutdown: {
            Ending.leave(within: Self.patience)
        }
    }

    private func serve(_ service: ReadService) async throws {
        let hangUps = await UnixSignalsSequence(trapping: .sighup)
        guard let incarnation = try await installation(of: configuration) else { return }
        service.serve(try await ReadRuntime.open(configuration, incarnation: incarnation).setup)
        for await _ in hangUps.cancelOnGracefulShutdown() {
            do {
                let now = try options.load()
                guard let installation = try await Reader(now).installation else {
                    throw Refusal(.badConfiguration, "there is no installation in \(now.mongodb)")
                }
                service.serve(try await ReadRuntime.open(now, incarnation: installation.incarnation).setup)
                logger.info("the files were read again")
            } catch {
                logger.error("everything goes on as it was: what the files say is refused", metadata: ["error": "\(error)"])
            }
        }
    }

    /// The log's incarnation, once a worker has made the installation; nil when it is to stop before.
    private func installation(of configuration: Configuration) async throws -> String? {
        var hasSaid = false
        while !Task.isShuttingDownGracefully {
            try Task.checkCancellation()
            do {
                if let installation = try await Reader(configuration).installation { return installation.incarnation }
                if !hasSaid { logger.notice("there is nothing to read before a worker has started: waiting for one") }
            } catch {
                guard Ending.code(of: error) == Ending.unreachable else { throw error }
                if !hasSaid { logger.warning("waiting for MongoDB", metadata: ["error": "\(error)"]) }
            }
            hasSaid = true
            try? await cancelWhenGracefulShutdown { try await Task.sleep(for: .seconds(1)) }
        }
        return nil
    }
}
