import Logging
import ServiceLifecycle

/// Removes receipts when they have been kept long enough. Every runner does it: twice is as good as once, and an index that
/// expires them would take the last receipt of a partition at rest with it, where the next one begins.
public struct RunRetention: Service {
    private let workplace: any Workplace
    private let keep: Duration
    private let logger: Logger

    /// A receipt a minute makes 60 to remove.
    private static let every = Duration.seconds(3600)

    public init(_ workplace: any Workplace, keep: Duration, logger: Logger) {
        self.workplace = workplace
        self.keep = keep
        self.logger = logger
    }

    public func run() async throws {
        try? await cancelWhenGracefulShutdown {
            while true {
                do {
                    let removed = try await workplace.pruneRuns(keeping: keep)
                    if removed > 0 { logger.info("old receipts removed", metadata: ["count": "\(removed)"]) }
                } catch {
                    logger.warning("old receipts are not removed; it is tried again", metadata: ["error": "\(error)"])
                }
                try await Task.sleep(for: Self.every)
            }
        }
    }
}
