import Events
import Logging
import Models
import Testing

@testable import Projector

/// One worker of one partition, step by step: what `PartitionWorker` does, without its clocks.
struct Worker: Sendable {
    let number: Int
    let world: World
    let ingest: Ingest
    let projections: [Projection]
    private let ports: Ports
    let list: String

    struct Setting: Sendable {
        var stream: StreamSettings
        var builds: [(build: BuildID, fold: EffectFold)]
        var limits = BatchLimits()
        /// Elements of one call of ingest.
        var events = 7
    }

    let setting: Setting

    /// - Parameter ports: the connections to the world, where they are not the plain ones.
    init(_ number: Int, _ world: World, _ setting: Setting, _ ports: Ports? = nil, clock: any Clock<Duration> = ContinuousClock()) {
        self.number = number
        self.world = world
        self.setting = setting
        let ports = ports ?? Ports(world, number, limit: setting.stream.maxEventBytes)
        self.ports = ports
        let partition = PartitionID(stream: setting.stream.name, number: 0)
        list = ports.buffer.list
        ingest = Ingest(settings: setting.stream, partition: partition, buffer: ports.buffer, log: ports.log, collisionPause: .zero, clock: clock)
        projections = setting.builds.map { build, fold in
            Projection(build: build, partition: partition, fold: fold, store: ports.store, log: ports.log, limits: setting.limits, logger: .silent)
        }
    }

    /// Another build's.
    func projection(of build: BuildID, _ fold: EffectFold) -> Projection {
        Projection(
            build: build, partition: PartitionID(stream: setting.stream.name, number: 0), fold: fold, store: ports.store, log: ports.log,
            limits: setting.limits,
            logger: .silent)
    }

    /// One batch through ingest and every projection; after a failure, everything in memory is forgotten. Returns the
    /// fence to lift the epoch above.
    func step(epoch: Int64) async throws -> Int64? {
        do {
            let batch = try await ingest.next(epoch: epoch, events: setting.events, bytes: 1 << 20)
            for projection in projections {
                if let completeness = batch.completeness { await projection.expect(list, completeness) }
                var reached = try await projection.turn(batch.chunks, tail: batch.tail)
                var turns = 1
                while !reached, !batch.chunks.isEmpty, turns < 100, try await projection.isWithin(batch.chunks) {
                    reached = try await projection.turn(batch.chunks, tail: batch.tail)
                    turns += 1
                }
                #expect(turns < 100, "the projection does not move")
            }
            return batch.fence
        } catch let lost as StoreLost where lost.isRetriable {
            await ingest.forget()
            for projection in projections { await projection.forget() }
            return nil
        }
    }
}

/// A worker's connections.
struct Ports: Sendable {
    var buffer: any SegmentBuffer
    var log: any EventLog
    var store: any SwitchStore
    var leases: any LeaseStore

    init(_ world: World, _ worker: Int, list: Int = 0, limit: ByteCount) {
        buffer = FakeBuffer(world: world, worker: worker, limit: limit, number: list)
        log = FakeLog(world: world, worker: worker)
        store = FakeStore(world: world, worker: worker)
        leases = FakeLeases(world: world, worker: worker)
    }
}

extension Worker {
    /// Steps as the only worker until the condition holds. One that never gets there has failed.
    func run(_ comment: String = "", until isMet: @Sendable (isolated World) -> Bool) async throws {
        for _ in 0..<500 {
            if await world.meets(isMet) { return }
            #expect(try await step(epoch: 1) == nil, "\(comment)")
        }
        Issue.record("does not end: \(comment)")
    }

    /// Until nothing is left to do.
    func finish(_ comment: String = "") async throws {
        let builds = setting.builds.map(\.build)
        try await run(comment) { $0.isDone(builds) }
    }
}

extension Logger {
    static var silent: Logger { Logger(label: "test") { _ in SwiftLogNoOpLogHandler() } }
}

extension World {
    /// Nothing is left to do: Redis is empty, and every build has all of the log and knows that each list is complete.
    func isDone(_ builds: [BuildID]) -> Bool {
        guard !isOpen, lists.allSatisfy(\.isEmpty) else { return false }
        let complete = Set(lists.indices.map { ListCompleteness(list: FakeBuffer.list($0), token: lists[$0].token) })
        return builds.allSatisfy { build in
            guard let checkpoint = mongo.checkpoints[build] else { return false }
            return checkpoint.offset == mongo.end && Set(checkpoint.complete) == complete
        }
    }
}
