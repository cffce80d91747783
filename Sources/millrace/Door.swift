import Definitions
import Events
import Logging
import ServiceLifecycle

/// A service that listens beside some work.
struct Door {
    /// What is served, such as `health and metrics`.
    var what: String
    /// Where somebody has said it.
    var address: ListenAddress?
    var standard: (host: String, port: Int)
    var scheme = "http"
    /// The environment's variable for the address.
    var variable: String

    /// Where somebody has said the address, it must be free. The one that nobody has said may be another process's of the same
    /// machine, and that is only told.
    func open<Served: Service>(
        _ make: (_ host: String, _ port: Int, _ onBound: @escaping @Sendable (Int) -> Void) -> Served, logger: Logger,
        _ work: @escaping (Served?) async throws -> Void
    ) async throws {
        if address == .off { return try await work(nil) }
        var (host, port) = standard
        if case .at(let chosenHost, let chosenPort)? = address { (host, port) = (chosenHost, chosenPort) }
        let (outcomes, told) = AsyncStream<Outcome>.makeStream()
        let service = make(host, port) { told.yield(.bound($0)) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                do { try await service.run() } catch { told.yield((error as? Refusal).map { .refused($0) } ?? .failed("\(error)")) }
            }
            defer { group.cancelAll() }
            switch await outcomes.first(where: { _ in true }) {
            case .bound(let port): logger.info("\(what)", metadata: ["at": "\(scheme)://\(host):\(port)"])
            case .refused(let refusal): throw refusal
            case .failed(let error):
                let fault = "\(what) cannot be served at \(host):\(port): \(error)"
                guard address == nil else { throw Refusal(.badConfiguration, fault) }
                logger.warning("\(fault); choose another address with \(variable), or off")
            case nil: break
            }
            try await work(service)
            // Requests that are under way are answered.
            if Task.isShuttingDownGracefully { _ = try await group.next() }
        }
    }

    private enum Outcome: Sendable {
        case bound(Int)
        /// What somebody has said about it will not do.
        case refused(Refusal)
        case failed(String)
    }
}
