import Definitions
import Health
import Logging

/// Where health and metrics are served.
enum HealthDoor {
    static func open(_ configuration: Configuration, logger: Logger, _ work: @escaping (HealthService?) async throws -> Void) async throws {
        let door = Door(
            what: "health and metrics", address: configuration.healthListen, standard: Configuration.defaultHealthListen,
            variable: "MILLRACE_HEALTH_LISTEN")
        try await door.open({ HealthService(host: $0, port: $1, logger: logger, onBound: $2) }, logger: logger, work)
    }
}
