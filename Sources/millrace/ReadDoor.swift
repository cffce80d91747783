import Definitions
import Logging
import ReadAPI

/// Where the read API listens.
enum ReadDoor {
    static func door(_ api: APISettings) -> Door {
        Door(
            what: "read API", address: api.listen, standard: APISettings.standard, scheme: api.tls == nil ? "http" : "https", variable: "MILLRACE_API_LISTEN")
    }

    static func open(_ door: Door, _ api: APISettings, logger: Logger, _ work: @escaping (ReadService?) async throws -> Void) async throws {
        // Besides connections of clients: of stores, logs and whatever jobs open.
        OpenFiles.allow(api.connections + 1000)
        try await door.open(
            { host, port, onBound in
                ReadService(
                    .init(host: host, port: port, connections: api.connections, tls: api.tls.map { ($0.certificate, $0.key) }), logger: logger, onBound: onBound
                )
            }, logger: logger, work)
    }
}
