import ArgumentParser
import Definitions
import Health
import Logging
import ReadAPI

/// Where health and metrics are served.
enum HealthDoor {
    static func open(_ configuration: Configuration, logger: Logger, _ work: @escaping (HealthService?) async throws -> Void) async throws {
        let door = Door(
            what: "health and metrics", address: configuration.healthListen, standard: Configuration.defaultHealthListen,
            variable: "MILLRACE_HEALTH_LISTEN")
        try await door.open({ HealthService(host: $0, port: $1, logger: logger, onBound: $2) }, logger: logger, work)
    }
}

/// What the health service says of the read API alone.
struct ReadHealth: HealthSource {
    let api: ReadService

    func checks() async -> [HealthCheck] { await api.checks() }

    func exposition() async throws -> Exposition {
        var exposition = Exposition()
        exposition.add(.buildInfo, ["version": Millrace.configuration.version], 1)
        for check in await checks() { exposition.add(.up, ["server": check.name], check.fault == nil ? 1 : 0) }
        api.addMetrics(to: &exposition)
        return exposition
    }
}
