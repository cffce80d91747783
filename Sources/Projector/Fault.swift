import Logging

/// Faults of servers, as one-shot work bears with them.
enum Fault {
    private static let patience = Duration.seconds(60)

    /// Repeats something that can be repeated, while a server's fault keeps it from being done.
    static func borne<Answer>(_ what: String, _ logger: Logger, _ body: () async throws -> Answer) async throws -> Answer {
        var pause = Backoff(first: .milliseconds(50), most: .seconds(2))
        let deadline = ContinuousClock.now + patience
        while true {
            do {
                return try await body()
            } catch let failure as any StoreFailure where failure.isRetriable && .now < deadline {
                logger.debug("\(what): again, after a fault", metadata: ["error": "\(failure)"])
                try await Task.sleep(for: pause.next())
            }
        }
    }
}
