import Events
import Logging
import Models
import Synchronization

/// A build's projections in every partition of its stream, which a rebuild folds side by side.
///
/// Each is the projection that drains too, with larger batches; its checkpoints make it exactly once, and let whoever comes
/// next go on where a killed one stood.
public struct RebuildFold: Sendable {
    /// What one partition is folded with: connections of its own.
    public struct Place: Sendable {
        public var partition: PartitionID
        public var store: any ProjectionStore
        public var log: any EventLog

        public init(_ partition: PartitionID, store: any ProjectionStore, log: any EventLog) {
            self.partition = partition
            self.store = store
            self.log = log
        }
    }

    let build: BuildID
    private let projections: [Projection]
    private let rate: Int?
    private let logger: Logger
    private let report: @Sendable (PartitionID, Int64) -> Void

    /// How long a fault of a server is borne with.
    private static let patience = Duration.seconds(60)

    /// - Parameters:
    ///   - rate: at most so many events a second, of all partitions.
    ///   - report: hears how far each partition has come.
    public init(
        _ build: BuildID, _ fold: any Folding, _ places: [Place], rate: Int? = nil, limits: BatchLimits = .ofRebuild, logger: Logger,
        report: @escaping @Sendable (PartitionID, Int64) -> Void = { _, _ in }
    ) {
        self.build = build
        let rate = rate.map { max(1, $0 / max(1, places.count)) }
        var limits = limits
        // A batch a second, so that it is no standstill of minutes.
        if let rate { limits.events = min(limits.events, rate) }
        projections = places.map { place in
            Projection(build: build, partition: place.partition, fold: fold, store: place.store, log: place.log, limits: limits, logger: logger)
        }
        self.rate = rate
        self.logger = logger
        self.report = report
    }

    /// Takes every partition to where its log ends.
    public func catchUp() async throws { try await each { _ in nil } }

    /// Takes partitions at least to these offsets.
    public func reach(_ offsets: [PartitionID: Int64]) async throws { try await each { offsets[$0] ?? 0 } }

    private func each(_ goal: @escaping @Sendable (PartitionID) -> Int64?) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for projection in projections {
                group.addTask { try await take(projection, to: goal(projection.partition)) }
            }
            try await group.waitForAll()
        }
    }

    private func take(_ projection: Projection, to goal: Int64?) async throws {
        var pause = Backoff(first: .milliseconds(50), most: .seconds(2))
        // What is gathered in memory is folded again after a failure: that alone is no progress.
        var (furthest, moved) = (Int64(0), ContinuousClock.now)
        while true {
            try Task.checkCancellation()
            let began = ContinuousClock.now
            do {
                let start = try await projection.offset() ?? 0
                if let goal, start >= goal, try await projection.settle() { return }
                let isDone = try await projection.turn([], tail: goal)
                if let stopped = await projection.stopped {
                    throw Refusal(stopped.refusal.problem, "the new build cannot take an event that is in the log: \(stopped)")
                }
                guard await !projection.isAside, let end = try await projection.offset() else {
                    throw Refusal(.noProgress, "\(build) was removed or frozen by somebody else: see millrace status")
                }
                report(projection.partition, end)
                if isDone, goal.map({ end >= $0 }) ?? true { return }
                if let rate { try await Task.sleep(for: .seconds(Double(end - start) / Double(rate)) - (.now - began)) }
                if end > furthest {
                    (furthest, moved) = (end, .now)
                    pause.reset()
                } else if .now - moved > Self.patience {
                    throw Refusal(.noProgress, "the new build's documents are changed by somebody else all the time: see who writes to \(build)")
                }
            } catch let failure as any StoreFailure where failure.isRetriable && .now - moved < Self.patience {
                logger.debug("a rebuild goes on after a fault", metadata: ["build": "\(build)", "error": "\(failure)"])
                await projection.forget()
                try await Task.sleep(for: pause.next())
            }
        }
    }
}

extension BatchLimits {
    /// By what MongoDB takes and memory holds, not by how long readers wait for it.
    public static var ofRebuild: BatchLimits {
        var limits = BatchLimits()
        limits.events = 50_000
        limits.documents = 20_000
        limits.loaded = .mebibytes(64)
        limits.cache = .mebibytes(128)
        limits.gathered = 2_000_000
        return limits
    }
}
