import Events
import Logging

/// Works on one partition while it holds the lease: ingest and project side by side, ingest at most one batch ahead.
///
/// Infrastructure errors are met here and nowhere else: everything in memory is forgotten, and after a wait the work
/// begins again from what is stored.
public struct PartitionWorker: Sendable {
    public struct Settings: Sendable {
        public var lease: Duration = .seconds(10)
        /// How long to wait when there is nothing to do.
        public var poll: Duration = .milliseconds(20)
        public var limits = BatchLimits()
        /// What it waits by, and what its waits are drawn from: a simulation brings its own, and runs the same again.
        public var clock: any Clock<Duration> = ContinuousClock()
        public var random: any RandomNumberGenerator & Sendable = SystemRandomNumberGenerator()

        public init() {}
    }

    public let partition: PartitionID
    public let report = WorkerReport()
    private let list: String
    private let ingest: Ingest
    private let builds: ProjectedBuilds
    private let store: any ProjectionStore
    private let leases: any LeaseStore
    private let holder: String
    private let settings: Settings
    private let stop: StopSignal
    private let logger: Logger

    /// How many leases a partition that needs a person is left alone before it is tried again: 30 s by default.
    private static let recheck = 3
    /// A failure after so long is not a repetition of the one before.
    private static let goodWhile = Duration.seconds(10)

    public init(
        partition: PartitionID, list: String, ingest: Ingest, builds: ProjectedBuilds, store: any ProjectionStore, leases: any LeaseStore,
        holder: String, settings: Settings, stop: StopSignal, logger: Logger
    ) {
        self.partition = partition
        self.list = list
        self.ingest = ingest
        self.builds = builds
        self.store = store
        self.leases = leases
        self.holder = holder
        self.settings = settings
        self.stop = stop
        self.logger = logger
    }

    /// Runs until it is asked to stop.
    public func run() async {
        var pause = Backoff(first: .milliseconds(100), most: .seconds(5))
        var random = settings.random
        while !stop.isRequested {
            var failure: (any Error)?
            let took = await settings.clock.measure {
                do { try await turn() } catch { failure = error }
            }
            guard let failure else { continue }
            if took > Self.goodWhile { pause.reset() }
            await recover(from: failure, pause.next(using: &random))
        }
    }

    /// Works as long as it can have the lease, or waits a while for it.
    private func turn() async throws {
        let holder = LeaseHolder(id: holder, sessions: [try await store.sessionId()])
        switch try await leases.acquire(partition, holder: holder, duration: settings.lease) {
        case .held:
            report.waits()
            // Asked again often enough to take over within a lease of the holder's death.
            await wait(min(settings.lease / 10, .seconds(1)))
        case .acquired(let lease):
            CrashPoint.leaseAcquired.reached()
            try await builds.follow()
            let held = HeldLease(lease, leases: leases, duration: settings.lease, clock: settings.clock)
            try await work(held, watch(lease, held))
        }
    }

    private func recover(from error: any Error, _ pause: Duration) async {
        await ingest.forget()
        await builds.forget()
        // Whatever the session had under way ends with it, or when the next lease names another session.
        await store.reset()
        switch Disposition.of(error) {
        case .retry:
            report.failed(error, isStopped: false)
            logger.warning("the partition starts again from what is stored", metadata: ["partition": "\(partition)", "error": "\(error)"])
            try? await leases.endDeadRepairs(of: partition)
            await wait(pause)
        case .stop:
            report.failed(error, isStopped: true)
            logger.error("the partition stands still until somebody acts", metadata: ["partition": "\(partition)", "error": "\(error)"])
            await wait(settings.lease * Self.recheck)
        }
    }

    /// What the holders before died of, if they did.
    private func watch(_ lease: Lease, _ held: HeldLease) async throws -> CrashWatch {
        var history = lease.crashes
        // What a holder wrote down that gave the lease back, or that is still alive, killed nobody.
        history.attempt = lease.isAfterDeath ? history.attempt : nil
        if lease.isAfterDeath {
            var offsets: [CrashHistory.Stage: Int64] = [.ingest: try await store.logEnd(of: partition)]
            for projection in await builds.projections {
                offsets[.project(projection.build)] = try await store.checkpoint(of: projection.build, partition)?.offset
            }
            history.holderDied(at: offsets)
            try await held.store(history)
            if history.isCareful {
                logger.warning(
                    "workers died here \(CrashHistory.patience) times without getting on: going on step by step, to find the event that kills them",
                    metadata: ["partition": "\(partition)", "suspect": "\(history.suspect.map { "\($0.attempt.offsets), by \($0.deaths)" } ?? "none yet")"])
            }
        }
        return CrashWatch(history) { try await held.store($0) }
    }

    /// Works while the lease holds. Returns when it is lost or the worker is asked to stop.
    private func work(_ lease: HeldLease, _ watch: CrashWatch) async throws {
        report.began()
        defer { report.ended() }
        do {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await lease.keep() }
                group.addTask { try await pump(lease, watch) }
                if builds.isFollowing { group.addTask { try await builds.keepFollowing(settings.clock) } }
                // Whichever ends first ends the other: without the lease there is no work, without work no lease.
                defer { group.cancelAll() }
                try await group.next()
            }
        } catch is CancellationError {
        } catch is LeaseLost {
            logger.info("the lease went to somebody else", metadata: ["partition": "\(partition)"])
        }
        await ingest.forget()
        await builds.forget()
        if stop.isRequested {
            try? await lease.release()
            CrashPoint.leaseReleased.reached()
        }
    }

    /// Ingests the next batch while the one before it is projected.
    private func pump(_ lease: HeldLease, _ watch: CrashWatch) async throws {
        // 9: before anything is appended. A log that ends below a checkpoint would soon reach it again, with other elements
        // at offsets that count as applied.
        for projection in await builds.projections { try await projection.open() }
        var handed = try await next(lease, watch)
        while true {
            if stop.isRequested && handed.chunks.isEmpty { return }
            let batch = handed
            let isCurrent: Bool
            if await watch.isCareful {
                // One after the other, so that a death is the death of the step that was written down.
                isCurrent = try await project(batch, watch)
                handed = stop.isRequested ? IngestBatch() : try await next(lease, watch)
            } else {
                async let ahead = stop.isRequested ? IngestBatch() : next(lease, watch)
                isCurrent = try await project(batch, watch)
                handed = try await ahead
            }
            try Task.checkCancellation()
            let isIdle = batch.isIdle && handed.isIdle && isCurrent
            report.looked(isBusy: !isIdle)
            if isIdle && !stop.isRequested { try await settings.clock.sleep(for: settings.poll) }
        }
    }

    private func next(_ lease: HeldLease, _ watch: CrashWatch) async throws -> IngestBatch {
        let batch = try await ingest.next(epoch: lease.epoch, events: settings.limits.events, bytes: settings.limits.loaded.bytes, watch: watch)
        for missing in batch.missing {
            // Nothing is dropped silently, also not what somebody else dropped.
            logger.error(
                """
                \(Problem.elementsLost): \(missing.count) elements of the segment of \(list) were gone before they were logged: unless Redis went \
                back to an older state, somebody has changed \(list):segment, and only the producers can send them again
                """,
                metadata: ["partition": "\(partition)", "segment": "\(missing.segment.identity)", "length": "\(missing.segment.length)"]
            )
        }
        // 8: the fence never stands in the way of whoever holds the lease.
        if let fence = batch.fence { try await lease.lift(above: fence) }
        if batch.isIdle { try await watch.rests(.ingest) }
        return batch
    }

    /// Projects what was handed over in every build. Builds that are behind catch up batch by batch, one a turn, so that
    /// none waits for another's history.
    private func project(_ batch: IngestBatch, _ watch: CrashWatch) async throws -> Bool {
        var isCurrent = true
        for projection in await builds.projections {
            if let completeness = batch.completeness { await projection.expect(list, completeness) }
            var reached = try await projection.turn(batch.chunks, tail: batch.tail, watch: watch)
            while !reached, !batch.chunks.isEmpty, try await projection.isWithin(batch.chunks) {
                reached = try await projection.turn(batch.chunks, tail: batch.tail, watch: watch)
            }
            report.found(projection.build, isStopped: await projection.stopped != nil)
            // What has frozen it, or taken it away, has changed the pointer document.
            if await projection.isAside { try await builds.follow() }
            if reached { try await watch.rests(.project(projection.build)) }
            isCurrent = isCurrent && reached
        }
        return isCurrent
    }

    private func wait(_ duration: Duration) async {
        // Short steps, so that a stop is not slept through.
        var left = duration
        while !stop.isRequested, !Task.isCancelled, left > .zero {
            let step = min(.milliseconds(50), left)
            try? await settings.clock.sleep(for: step)
            left -= step
        }
    }
}
