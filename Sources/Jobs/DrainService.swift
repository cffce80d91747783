import Events
import Logging
import Projector
import ServiceLifecycle

/// A drain job: works continuously, and closes a receipt from time to time unless nothing moved.
public struct DrainService: Service {
    private let name: String
    private let workplace: any Workplace
    private let streams: [String]
    private let poll: Duration
    private let every: Duration
    private let logger: Logger

    public init(name: String, _ workplace: any Workplace, streams: [String], poll: Duration, every: Duration, logger: Logger) {
        self.name = name
        self.workplace = workplace
        self.streams = streams
        self.poll = poll
        self.every = every
        self.logger = logger
    }

    public func run() async throws {
        let stop = StopSignal()
        try await withGracefulShutdownHandler {
            try await withThrowingTaskGroup(of: Void.self) { group in
                var workers: [PartitionWorker] = []
                for partition in workplace.partitions(of: streams) {
                    let worker = try await workplace.worker(for: partition, poll: poll, stop: stop)
                    workers.append(worker)
                    group.addTask { await worker.run() }
                }
                logger.info("draining", metadata: ["job": "\(name)", "partitions": "\(workers.count)"])
                var started = await closeReceipts(of: workers, stop)
                // The last receipt covers the batches that the stop let finish.
                try await group.waitForAll()
                await tryToClose(workers, &started)
            }
        } onGracefulShutdown: {
            stop.request()
        }
    }

    /// Closes a receipt every so often until a stop. Returns when the stretch began that no receipt covers yet.
    private func closeReceipts(of workers: [PartitionWorker], _ stop: StopSignal) async -> ContinuousClock.Instant {
        var started = ContinuousClock.now
        while !stop.isRequested, !Task.isCancelled {
            // Short steps, so that a stop is not slept through.
            try? await Task.sleep(for: .milliseconds(50))
            if ContinuousClock.now - started >= every { await tryToClose(workers, &started) }
        }
        return started
    }

    private func tryToClose(_ workers: [PartitionWorker], _ started: inout ContinuousClock.Instant) async {
        let now = ContinuousClock.now
        do {
            try await closeReceipt(of: workers, started: started)
        } catch {
            logger.warning("no receipt could be written; the next one will cover this time too", metadata: ["job": "\(name)", "error": "\(error)"])
        }
        started = now
    }

    /// A receipt over the partitions this process worked on, from where each one's last receipt ended: nothing is left
    /// out and nothing counted twice, whoever worked on them meanwhile. A worker that was frozen in here and another one
    /// may both continue the same receipt: one of them is refused.
    private func closeReceipt(of workers: [PartitionWorker], started: ContinuousClock.Instant) async throws {
        var readings: [PartitionID: PartitionReading] = [:]
        var last: [PartitionID: LastReceipt] = [:]
        var differences: [(before: PartitionReading, after: PartitionReading)] = []
        for worker in workers where worker.report.heldLease() {
            let before = try await workplace.lastReceipt(of: worker.partition)
            let after = try await workplace.reading(of: worker.partition)
            guard !Receipt([(before.reading, after)], seconds: 0).isEmpty else { continue }
            readings[worker.partition] = after
            last[worker.partition] = before
            differences.append((before.reading, after))
        }
        guard !differences.isEmpty else { return }
        let receipt = Receipt(differences, seconds: (ContinuousClock.now - started) / .seconds(1))
        var run = RunRecord(drain: name, owner: workplace.owner, started: started, receipt, readings)
        run.last = last
        try await workplace.record(run)
        CrashPoint.receiptWritten.reached()
    }
}
