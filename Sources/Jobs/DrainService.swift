import Events
import Logging
import Projector

/// A drain job: works continuously on this runner's share of the partitions, and closes a receipt from time to time unless
/// nothing moved.
public struct DrainService: ContinuousWork {
    private let name: String
    private let workplace: any Workplace
    private let runners: any RunnerStore
    private let streams: [String]
    private let poll: Duration
    private let every: Duration
    /// How often the share is looked after: what is given up or left behind is taken well within a lease.
    private let look: Duration
    /// How long the others count on a runner that says nothing more. Shorter than a lease, so that they know their new share
    /// when a dead runner's leases run out.
    private let presence: Duration
    private let logger: Logger

    public init(
        name: String, _ workplace: any Workplace, _ runners: any RunnerStore, streams: [String], poll: Duration, every: Duration, lease: Duration,
        logger: Logger
    ) {
        self.name = name
        self.workplace = workplace
        self.runners = runners
        self.streams = streams
        self.poll = poll
        self.every = every
        look = min(lease / 5, .seconds(1))
        presence = lease / 2
        self.logger = logger
    }

    /// A partition that is worked on, and how to give it up.
    private final class Post: Sendable {
        let worker: PartitionWorker
        let stop = StopSignal()
        let isLeft = StopSignal()

        init(_ worker: (StopSignal) async throws -> PartitionWorker) async throws { self.worker = try await worker(stop) }

        var stretch: Stretch { Stretch(partition: worker.partition, report: worker.report) }
    }

    /// What a receipt asks of a worker. It does not keep the worker itself, whose connections are the next one's.
    private struct Stretch {
        let partition: PartitionID
        let report: WorkerReport
    }

    public func run(until stop: StopSignal) async throws {
        let partitions = workplace.partitions(of: streams)
        logger.info("draining", metadata: ["job": "\(name)", "partitions": "\(partitions.count)"])
        await withTaskGroup(of: Void.self) { group in
            var posts: [PartitionID: Post] = [:]
            // Of those who have gone, as no receipt covers it yet.
            var left: [Stretch] = []
            var (looked, closed) = (ContinuousClock.now - look, ContinuousClock.now)
            while !stop.isRequested {
                if ContinuousClock.now - looked >= look {
                    looked = .now
                    left += leave(&posts)
                    for post in await share(partitions, &posts) {
                        group.addTask {
                            await post.worker.run()
                            post.isLeft.request()
                        }
                    }
                }
                if ContinuousClock.now - closed >= every {
                    await tryToClose(posts.values.map(\.stretch) + left, &closed)
                    left = []
                }
                // Short steps, so that a stop is not slept through.
                try? await Task.sleep(for: .milliseconds(50))
            }
            for post in posts.values { post.stop.request() }
            await group.waitForAll()
            // The last receipt covers the batches that the stop let finish.
            await tryToClose(posts.values.map(\.stretch) + left, &closed)
        }
        // Whoever cannot say it is missed soon.
        try? await runners.leave(name, runner: workplace.owner)
    }

    /// Takes out those who have gone from their posts.
    private func leave(_ posts: inout [PartitionID: Post]) -> [Stretch] {
        let gone = posts.filter { $0.value.isLeft.isRequested }
        for partition in gone.keys { posts[partition] = nil }
        return gone.values.map(\.stretch)
    }

    /// Gives up what is more than this runner's share. Returns new posts where it is less.
    private func share(_ partitions: [PartitionID], _ posts: inout [PartitionID: Post]) async -> [Post] {
        var new: [Post] = []
        do {
            let attendance = try await runners.join(name, runner: workplace.owner, for: presence, among: partitions)
            let own = posts.mapValues { post -> PartitionShare.Post in
                post.stop.isRequested ? .leaving : post.worker.report.holdsLease ? .held : .tried
            }
            let share = PartitionShare(of: workplace.owner, among: partitions, attendance, own)
            for partition in share.stop { posts[partition]?.stop.request() }
            for partition in share.start {
                let post = try await Post { stop in try await workplace.worker(for: partition, poll: poll, stop: stop) }
                posts[partition] = post
                new.append(post)
            }
        } catch {
            // Whoever works goes on.
            logger.warning("the share of the partitions could not be looked after; it is tried again", metadata: ["job": "\(name)", "error": "\(error)"])
        }
        return new
    }

    private func tryToClose(_ stretches: [Stretch], _ started: inout ContinuousClock.Instant) async {
        let now = ContinuousClock.now
        do {
            try await closeReceipt(of: stretches, started: started)
        } catch {
            logger.warning("no receipt could be written; the next one will cover this time too", metadata: ["job": "\(name)", "error": "\(error)"])
        }
        started = now
    }

    /// A receipt over the partitions this process worked on, from where each one's last receipt ended: nothing is left
    /// out and nothing counted twice, whoever worked on them meanwhile. A worker that was frozen in here and another one
    /// may both continue the same receipt: one of them is refused.
    private func closeReceipt(of stretches: [Stretch], started: ContinuousClock.Instant) async throws {
        var readings: [PartitionID: PartitionReading] = [:]
        var last: [PartitionID: LastReceipt] = [:]
        var differences: [(before: PartitionReading, after: PartitionReading)] = []
        for stretch in stretches where stretch.report.heldLease() && readings[stretch.partition] == nil {
            let before = try await workplace.lastReceipt(of: stretch.partition)
            let after = try await workplace.reading(of: stretch.partition)
            guard !Receipt([(before.reading, after)], seconds: 0).isEmpty else { continue }
            readings[stretch.partition] = after
            last[stretch.partition] = before
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
