import Definitions
import Events
import Health
import Logging

/// Serves health and metrics beside some work.
enum HealthDoor {
    /// Where somebody has said the address, it must be free. The one that nobody has said may be another runner's of the same
    /// machine, and that is only told.
    static func open(_ address: ListenAddress?, logger: Logger, _ work: @escaping (HealthService?) async throws -> Void) async throws {
        if address == .off { return try await work(nil) }
        var (host, port) = Configuration.defaultHealthListen
        if case .at(let chosenHost, let chosenPort)? = address { (host, port) = (chosenHost, chosenPort) }
        let (outcomes, told) = AsyncStream<Outcome>.makeStream()
        let health = HealthService(host: host, port: port, logger: logger) { told.yield(.bound($0)) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                do { try await health.run() } catch { told.yield(.failed("\(error)")) }
            }
            defer { group.cancelAll() }
            switch await outcomes.first(where: { _ in true }) {
            case .bound(let port): logger.info("health and metrics", metadata: ["at": "http://\(host):\(port)"])
            case .failed(let error):
                let what = "health and metrics cannot be served at \(host):\(port): \(error)"
                guard address == nil else { throw Refusal(.badConfiguration, what) }
                logger.warning("\(what); choose another address with MILLRACE_HEALTH_LISTEN, or off")
            case nil: break
            }
            try await work(health)
        }
    }

    private enum Outcome: Sendable {
        case bound(Int)
        case failed(String)
    }
}
