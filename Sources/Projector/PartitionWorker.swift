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

        public init() {}
    }

    public let partition: PartitionID
    public let report = WorkerReport()
    private let list: String
    private let ingest: Ingest
    private let projections: [Projection]
    private let store: any ProjectionStore
    private let leases: any LeaseStore
    private let holder: String
    private let settings: Settings
    private let stop: StopSignal
    private let logger: Logger

    /// How long a partition that needs a person is left alone before it is tried again.
    private static let recheck = Duration.seconds(30)
    /// A failure after so long is not a repetition of the one before.
    private static let goodWhile = Duration.seconds(10)

    public init(
        partition: PartitionID, list: String, ingest: Ingest, projections: [Projection], store: any ProjectionStore, leases: any LeaseStore,
        holder: String, settings: Settings, stop: StopSignal, logger: Logger
    ) {
        self.partition = partition
        self.list = list
        self.ingest = ingest
        self.projections = projections
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
        while !stop.isRequested {
            let began = ContinuousClock.now
            do {
                let holder = LeaseHolder(id: holder, sessions: [try await store.sessionId()])
                switch try await leases.acquire(partition, holder: holder, duration: settings.lease) {
                case .held:
                    // Asked again often enough to take over within a lease of the holder's death.
                    await wait(min(settings.lease / 10, .seconds(1)))
                case .acquired(let lease):
                    CrashPoint.leaseAcquired.reached()
                    try await work(HeldLease(lease, leases: leases, duration: settings.lease))
                }
            } catch {
                if ContinuousClock.now - began > Self.goodWhile { pause.reset() }
                await recover(from: error, &pause)
            }
        }
    }

    private func recover(from error: any Error, _ pause: inout Backoff) async {
        await ingest.forget()
        for projection in projections { await projection.forget() }
        // Whatever the session had under way ends with it, or when the next lease names another session.
        await store.reset()
        switch Disposition.of(error) {
        case .retry:
            report.failed(error, isStopped: false)
            logger.warning("the partition starts again from what is stored", metadata: ["partition": "\(partition)", "error": "\(error)"])
            await wait(pause.next())
        case .stop:
            report.failed(error, isStopped: true)
            logger.error("the partition stands still until somebody acts", metadata: ["partition": "\(partition)", "error": "\(error)"])
            await wait(Self.recheck)
        }
    }

    /// Works while the lease holds. Returns when it is lost or the worker is asked to stop.
    private func work(_ lease: HeldLease) async throws {
        report.began()
        defer { report.ended() }
        do {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await lease.keep() }
                group.addTask { try await pump(lease) }
                // Whichever ends first ends the other: without the lease there is no work, without work no lease.
                defer { group.cancelAll() }
                try await group.next()
            }
        } catch is CancellationError {
        } catch is LeaseLost {
            logger.info("the lease went to somebody else", metadata: ["partition": "\(partition)"])
        }
        await ingest.forget()
        for projection in projections { await projection.forget() }
        if stop.isRequested {
            try? await lease.release()
            CrashPoint.leaseReleased.reached()
        }
    }

    /// Ingests the next batch while the one before it is projected.
    private func pump(_ lease: HeldLease) async throws {
        var handed = try await next(lease)
        while true {
            if stop.isRequested && handed.chunks.isEmpty { return }
            let batch = handed
            async let ahead = stop.isRequested ? IngestBatch() : next(lease)
            let isCurrent = try await project(batch)
            handed = try await ahead
            try Task.checkCancellation()
            if batch.isIdle && handed.isIdle && isCurrent && !stop.isRequested { try await Task.sleep(for: settings.poll) }
        }
    }

    private func next(_ lease: HeldLease) async throws -> IngestBatch {
        let batch = try await ingest.next(epoch: lease.epoch, events: settings.limits.events, bytes: settings.limits.loaded.bytes)
        // 8: the fence never stands in the way of whoever holds the lease.
        if let fence = batch.fence { try await lease.lift(above: fence) }
        return batch
    }

    /// Projects what was handed over in every build. Builds that are behind catch up batch by batch, one a turn, so that
    /// none waits for another's history.
    private func project(_ batch: IngestBatch) async throws -> Bool {
        var isCurrent = true
        for projection in projections {
            if let completeness = batch.completeness { await projection.expect(list, completeness) }
            var reached = try await projection.turn(batch.chunks, tail: batch.tail)
            while !reached, !batch.chunks.isEmpty, try await projection.isWithin(batch.chunks) {
                reached = try await projection.turn(batch.chunks, tail: batch.tail)
            }
            isCurrent = isCurrent && reached
        }
        return isCurrent
    }

    private func wait(_ duration: Duration) async {
        // Short steps, so that a stop is not slept through.
        let deadline = ContinuousClock.now + duration
        while !stop.isRequested, !Task.isCancelled, ContinuousClock.now < deadline {
            try? await Task.sleep(for: min(.milliseconds(50), deadline - ContinuousClock.now))
        }
    }
}

/// Somebody else holds the lease.
struct LeaseLost: Error {}

/// A lease that is renewed while its work runs.
actor HeldLease {
    private var lease: Lease
    private let leases: any LeaseStore
    private let duration: Duration

    init(_ lease: Lease, leases: any LeaseStore, duration: Duration) {
        self.lease = lease
        self.leases = leases
        self.duration = duration
    }

    var epoch: Int64 { lease.epoch }

    /// Renews at a third of the duration. Throws when the lease is somebody else's; a failure to ask is left to the
    /// next try, since nothing rests on the lease but saved work.
    func keep() async throws {
        while true {
            try await Task.sleep(for: duration / 3)
            do {
                guard try await leases.renew(lease, duration: duration) else { throw LeaseLost() }
            } catch let failure as any StoreFailure where failure.isRetriable {
                continue
            }
            CrashPoint.leaseRenewed.reached()
        }
    }

    func lift(above fence: Int64) async throws {
        guard let lifted = try await leases.lift(lease, above: fence) else { throw LeaseLost() }
        lease = lifted
    }

    func release() async throws { try await leases.release(lease) }
}
