import Events
import Foundation
import Logging
import Projector

/// Everything that was there when it started, fully applied, by whoever holds the partition; then a receipt.
public struct DrainOnce: Sendable {
    private let workplace: any Workplace
    private let streams: [String]
    private let lease: Duration
    private let logger: Logger

    /// How often MongoDB is asked whether everything is applied: soon at first, and later at a hundredth of the time that
    /// has passed; and while the own workers have more to do, only to see that they get on. A question every 10 ms was an
    /// eighth of a drain's CPU, and only to look every 10 ms whether they have more to do was a twentieth.
    private static let poll = Duration.milliseconds(10)
    private static let longestPoll = Duration.milliseconds(200)
    private static let busyPoll = Duration.seconds(1)
    /// Without any progress for this many leases, it gives up.
    private static let patience = 3

    public init(_ workplace: any Workplace, streams: [String], lease: Duration, logger: Logger) {
        self.workplace = workplace
        self.streams = streams
        self.lease = lease
        self.logger = logger
    }

    /// Throws a `Refusal` (`no-progress`) when somebody else holds a partition and does nothing, and the worker's own
    /// failure when that is what keeps a partition from moving.
    public func run() async throws -> Receipt {
        let partitions = workplace.partitions(of: streams)
        let started = ContinuousClock.now
        var before: [PartitionID: PartitionReading] = [:]
        var tokens: [PartitionID: BufferToken] = [:]
        for partition in partitions {
            before[partition] = try await workplace.reading(of: partition)
            tokens[partition] = try await workplace.token(of: partition)
        }
        let stop = StopSignal()
        try await withThrowingTaskGroup(of: Void.self) { group in
            // A stop also when waiting fails, or the workers would never end.
            defer { stop.request() }
            var workers: [PartitionID: PartitionWorker] = [:]
            for partition in partitions {
                let worker = try await workplace.worker(for: partition, poll: Self.poll, stop: stop)
                workers[partition] = worker
                group.addTask { await worker.run() }
            }
            try await wait(for: tokens, logged: before.mapValues(\.log.received), workers, since: started)
        }
        var readings: [PartitionID: PartitionReading] = [:]
        for partition in partitions { readings[partition] = try await patiently { try await workplace.reading(of: partition) } }
        let seconds = (ContinuousClock.now - started) / .seconds(1)
        let receipt = Receipt(partitions.map { (before[$0] ?? PartitionReading(), readings[$0] ?? PartitionReading()) }, seconds: seconds)
        try await workplace.record(RunRecord(drain: "drain", owner: workplace.owner, started: started, receipt, readings))
        CrashPoint.receiptWritten.reached()
        return receipt
    }

    private func wait(
        for tokens: [PartitionID: BufferToken], logged: [PartitionID: Int64], _ workers: [PartitionID: PartitionWorker], since started: ContinuousClock.Instant
    ) async throws {
        var waiting = tokens
        var progress: [PartitionID: Int] = [:]
        var moved = ContinuousClock.now
        var unanswered: (any Error)?
        while true {
            for (partition, token) in waiting {
                do {
                    switch try await workplace.isComplete(
                        partition, upTo: token, and: logged[partition] ?? 0, stopped: workers[partition]?.report.stoppedBuilds)
                    {
                    case .complete: waiting[partition] = nil
                    case .otherRun:
                        waiting[partition] = try await workplace.token(of: partition)
                        moved = .now
                    case .underWay(let now):
                        if progress[partition] != now { moved = .now }
                        progress[partition] = now
                    }
                    unanswered = nil
                } catch let failure as any StoreFailure where failure.isRetriable {
                    // A server that restarts or elects: the workers wait for it too.
                    unanswered = failure
                }
                if let failure = workers[partition]?.report.stopped { throw failure }
            }
            guard !waiting.isEmpty else { return }
            guard ContinuousClock.now - moved < lease * Self.patience else {
                if let unanswered { throw unanswered }
                for partition in waiting.keys.sorted() {
                    if let failure = workers[partition]?.report.lastFailure { throw failure }
                }
                throw Refusal(
                    .noProgress,
                    "somebody else holds \(waiting.keys.sorted().map(\.description).joined(separator: ", ")) and has made no progress for "
                        + "\(Self.patience) leases: look at its log, or stop it and try again"
                )
            }
            let pause = min(max(Self.poll, (.now - started) / 100), Self.longestPoll)
            let asked = ContinuousClock.now
            for partition in waiting.keys { await workers[partition]?.report.rest(within: Self.busyPoll - (.now - asked)) }
            if ContinuousClock.now - asked < pause { try await Task.sleep(for: pause) }
            try Task.checkCancellation()
        }
    }

    /// Repeats a question that a fault of a server leaves unanswered, for as long as a lack of progress is borne.
    private func patiently<Answer>(_ question: () async throws -> Answer) async throws -> Answer {
        let deadline = ContinuousClock.now + lease * Self.patience
        while true {
            do {
                return try await question()
            } catch let failure as any StoreFailure where failure.isRetriable && ContinuousClock.now < deadline {
                try await Task.sleep(for: Self.poll)
            }
        }
    }
}
