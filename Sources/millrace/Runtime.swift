import Definitions
import Events
import Jobs
import Logging
import Models
import MongoStore
import Projector
import RedisAddress
import RedisBuffer
import Values

/// One process's part of an installation: its configuration, its servers, and what it may project. The composition root.
struct Runtime: Sendable {
    let configuration: Configuration
    let installation: MongoCatalog.Installation
    let owner: String
    let readings: MongoReadings
    let runs: MongoRuns
    let builds: BuildWatch
    private let redis: RedisURL
    private let pool: MongoPool
    private let control: MongoConnection
    /// For pointer documents, jobs, runners and metrics, which are looked at all the time: where MongoDB does not answer, or is
    /// slow, no lease waits for that.
    private let watch: MongoConnection
    private let buffers: [PartitionID: RedisBuffer]
    private let meter: (any BatchMeter & IngestMeter)?
    private let logger: Logger

    /// Opens an installation for work: checks the servers, and registers streams and models. Throws a `Refusal` for what
    /// a person must change first.
    static func open(_ configuration: Configuration, meter: (any BatchMeter & IngestMeter)? = nil, logger: Logger) async throws -> Runtime {
        let redis = try RedisURL(configuration.redis.url)
        let server = RedisServer(url: redis)
        let inspection = try await server.inspect()
        if let refusal = inspection.refusals.first { throw refusal }
        for warning in inspection.warnings { logger.warning("\(warning)") }

        // One connection for control, one for what is only looked at, one for indexes, one for builds that nobody minds, and two
        // for each partition.
        let partitions = configuration.streams.reduce(0) { $0 + $1.partitions }
        let pool = try MongoPool(url: configuration.mongodb.url, connections: 2 * partitions + 4)
        let control = try MongoConnection(pool: pool, name: "control")
        let watch = try MongoConnection(pool: pool, name: "watch")
        try await MongoServer.inspect(control)
        let catalog = MongoCatalog(connection: control, database: configuration.mongodb.database)
        let installation = try await catalog.open()
        for stream in configuration.streams {
            try await catalog.register(stream)
            for partition in 0..<stream.partitions {
                let list = stream.list(of: partition)
                if let refusal = try await server.refusal(of: list, installation: installation.id) { throw refusal }
            }
        }
        let readings = MongoReadings(connection: control, database: configuration.mongodb.database)
        // What a newer Millrace wrote is refused here, before a worker stumbles over it. A damaged chunk is not: it stops its
        // own partition, which says where it is, and no other.
        for stream in configuration.streams {
            for number in 0..<stream.partitions {
                do { _ = try await readings.reading(of: PartitionID(stream: stream.name, number: number)) } catch ChunkError.damaged {}
            }
        }
        var pointers: [String: ModelPointer] = [:]
        for model in configuration.models {
            let pointer = try await catalog.register(model)
            pointers[model.name] = pointer
            try say(model, pointer, logger)
        }
        let pointed = MongoCatalog(connection: watch, database: configuration.mongodb.database)
        return Runtime(
            configuration: configuration, installation: installation,
            owner: Owner.make(),
            readings: readings, runs: MongoRuns(connection: control, database: configuration.mongodb.database),
            builds: BuildWatch(pointed, models: configuration.models.map(\.name), known: pointers), redis: redis, pool: pool,
            control: control, watch: watch, buffers: makeBuffers(configuration, redis, installation.id), meter: meter, logger: logger
        )
    }

    /// Says what keeps a model from being what its file says. Throws where its live build's definition cannot be read.
    private static func say(_ model: Model, _ pointer: ModelPointer, _ logger: Logger) throws {
        guard let build = pointer.liveBuild else { return }
        guard build.isFoldable else {
            return logger.error(
                "the model is not projected: its build was folded by another version",
                metadata: ["model": "\(model.name)", "build": "\(build.id)", "foldVersion": "\(build.foldVersion)", "carried": "\(foldVersion)"]
            )
        }
        _ = try build.fold(model)
        if build.foldHash != model.foldHash {
            logger.warning("rebuild needed: the model goes on under its build's definition", metadata: ["model": "\(model.name)", "build": "\(build.id)"])
        }
    }

    private static func makeBuffers(_ configuration: Configuration, _ url: RedisURL, _ installation: String) -> [PartitionID: RedisBuffer] {
        var buffers: [PartitionID: RedisBuffer] = [:]
        for stream in configuration.streams {
            for partition in 0..<stream.partitions {
                buffers[PartitionID(stream: stream.name, number: partition)] = RedisBuffer(
                    url: url, list: stream.list(of: partition), installation: installation, maxEventBytes: stream.maxEventBytes
                )
            }
        }
        return buffers
    }

    /// Makes the indexes of every model, and removes those that it names no more. An index that cannot be made is said, and
    /// keeps nothing else from going on.
    func makeIndexes() async {
        for build in (try? await builds.pointers(within: .seconds(60)).compactMap(\.liveBuild)) ?? [] {
            // Where the build goes on under another definition, its indexes stay too.
            guard build.isFoldable, let model = configuration.model(build.id.model), build.foldHash == model.foldHash else { continue }
            do {
                for fault in try await make(model.indexes, of: build.id) {
                    logger.error("an index cannot be made", metadata: ["model": "\(model.name)", "error": "\(fault)"])
                }
            } catch {
                logger.error("the indexes are not looked after", metadata: ["model": "\(model.name)", "error": "\(error)"])
            }
        }
    }

    private func make(_ indexes: [DocumentIndex], of build: BuildID) async throws -> [String] {
        let catalog = MongoCatalog(connection: try MongoConnection(pool: pool, name: "indexes"), database: configuration.mongodb.database)
        var pause = Backoff(first: .milliseconds(200), most: .seconds(5))
        while true {
            do {
                return try await catalog.make(indexes, of: build)
            } catch let failure as any StoreFailure where failure.isRetriable {
                // Also where making one takes longer than a call may: asked for again, it is waited for again.
                try await Task.sleep(for: pause.next())
            }
        }
    }

    /// Puts right what others have left of builds, until it is cancelled: a switch whose process died would keep the live build
    /// from moving on.
    func lookAfterBuilds() async {
        do {
            let connection = try MongoConnection(pool: pool, name: "builds")
            let database = configuration.mongodb.database
            let store = MongoProjectionStore(connection: connection, database: database)
            for round in 0... {
                try await Task.sleep(for: .seconds(1))
                do {
                    for pointer in try await builds.pointers(within: .seconds(1)) where pointer.entry != nil || round % Self.leisure == 0 {
                        try await leftBuilds(of: pointer.model, store, MongoLog(connection: connection, database: database)).look()
                    }
                } catch {
                    try Task.checkCancellation()
                    logger.debug("builds are looked after another time", metadata: ["error": "\(error)"])
                }
            }
        } catch {
            if !(error is CancellationError) { logger.error("builds are not looked after", metadata: ["error": "\(error)"]) }
        }
    }

    /// A switch is noticed at once, and all else after so many seconds.
    private static let leisure = 10

    private func leftBuilds(of model: String, _ store: MongoProjectionStore, _ log: MongoLog) -> LeftBuilds {
        let places = (configuration.model(model).map { partitions(of: [$0.stream]) } ?? []).map { RebuildFold.Place($0, store: store, log: log) }
        return LeftBuilds(
            model, places, store,
            MongoLeases(connection: control, database: configuration.mongodb.database), holder: owner, lease: configuration.lease, logger: logger
        ) { build in try build.fold(configuration.model(build.id.model)) }
    }

    /// What metrics are read by.
    var watched: MongoReadings { MongoReadings(connection: watch, database: configuration.mongodb.database) }

    /// What reconciles have found, likewise.
    var reports: MongoDrift { MongoDrift(connection: watch, database: configuration.mongodb.database) }

    /// How many connections to MongoDB there are, and can be.
    var connections: (used: Int, most: Int) { (pool.used, pool.connections) }

    /// How much is waiting in a partition's list.
    func waiting(in partition: PartitionID) async throws -> BufferState {
        try await buffer(of: partition).waiting()
    }

    /// The log of a partition, for reading.
    func log() -> MongoLog { MongoLog(connection: control, database: configuration.mongodb.database) }

    /// What the runs of jobs need.
    var office: JobOffice {
        let database = configuration.mongodb.database
        return JobOffice(
            store: MongoJobs(connection: watch, database: database), leases: MongoLeases(connection: control, database: database), runs: runs, owner: owner,
            lease: configuration.lease)
    }

    /// A drain job.
    func drain(_ drain: JobDefinition.Drain, name: String) -> DrainService {
        DrainService(
            name: name, self, MongoRunners(connection: watch, database: configuration.mongodb.database), streams: drain.streams, poll: drain.poll,
            every: drain.every, lease: configuration.lease, logger: logger)
    }

    /// A bridge job, with a connection of its own. Throws a `Refusal` where Redis is too old for it.
    func bridge(_ bridge: JobDefinition.Bridge, name: String) async throws -> BridgeService {
        if let refusal = try await RedisServer(url: redis).inspect().bridgeRefusal { throw refusal }
        guard let stream = configuration.stream(bridge.stream) else { throw Refusal(.unknownName, "there is no stream \(bridge.stream)") }
        return BridgeService(
            name: name, RedisStreams(url: redis, group: bridge.group), .init(sources: bridge.sources, trim: bridge.trim), to: stream, logger: logger)
    }

    private func buffer(of partition: PartitionID) throws(Refusal) -> RedisBuffer {
        guard let buffer = buffers[partition] else { throw Refusal(.unknownName, "there is no partition \(partition)") }
        return buffer
    }
}

extension Runtime: Workplace {
    func partitions(of streams: [String]) -> [PartitionID] {
        buffers.keys.filter { streams.isEmpty || streams.contains($0.stream) }.sorted()
    }

    func worker(for partition: PartitionID, poll: Duration, stop: StopSignal) async throws -> PartitionWorker {
        guard let stream = configuration.stream(partition.stream) else { throw Refusal(.unknownName, "there is no stream \(partition.stream)") }
        let database = configuration.mongodb.database
        let log = MongoLog(connection: try MongoConnection(pool: pool, name: "log \(partition)"), database: database)
        let store = MongoProjectionStore(connection: try MongoConnection(pool: pool, name: "project \(partition)"), database: database)
        let projected = ProjectedBuilds {
            try await builds.pointers(within: Self.pointerAge).flatMap(\.projected).filter { $0.stream == partition.stream }
        } make: { build in
            guard let fold = fold(of: build) else { return nil }
            return Projection(build: build.id, partition: partition, fold: fold, store: store, log: log, meter: meter, logger: logger)
        }
        var settings = PartitionWorker.Settings()
        settings.lease = configuration.lease
        settings.poll = poll
        return PartitionWorker(
            partition: partition, list: stream.list(of: partition.number),
            ingest: Ingest(settings: stream, partition: partition, buffer: try buffer(of: partition), log: log, meter: meter), builds: projected, store: store,
            leases: MongoLeases(connection: control, database: database), holder: owner, settings: settings, stop: stop, logger: logger
        )
    }

    /// How old the knowledge of the pointer documents may be where a mistake only costs time.
    private static let pointerAge = Duration.milliseconds(200)

    /// The fold that a build was made by; nil, and said, where this binary does not carry it.
    private func fold(of build: StoredBuild) -> EffectFold? {
        guard build.isFoldable else { return nil }
        do {
            return try build.fold(configuration.model(build.id.model))
        } catch {
            logger.error("the build is not projected: its definition cannot be read", metadata: ["build": "\(build.id)", "error": "\(error)"])
            return nil
        }
    }

    /// The builds that readers of a stream see, and that this binary folds.
    private func liveBuilds(of stream: String, within age: Duration) async throws -> Set<BuildID> {
        Set(try await builds.pointers(within: age).compactMap(\.liveBuild).filter { $0.isFoldable && $0.stream == stream }.map(\.id))
    }

    func reading(of partition: PartitionID) async throws -> PartitionReading {
        while true {
            let live = try await liveBuilds(of: partition.stream, within: .zero)
            var reading = try await readings.reading(of: partition)
            // 18: what was read is of builds that were live all the while.
            guard try await liveBuilds(of: partition.stream, within: .zero) == live else { continue }
            for build in live where reading.builds[build] == nil { reading.builds[build] = ProjectionTotals() }
            reading.live = live
            reading.stopped = reading.stopped.filter { live.contains($0.key) }
            return reading
        }
    }

    func token(of partition: PartitionID) async throws -> BufferToken { try await buffer(of: partition).token() }

    func isComplete(_ partition: PartitionID, upTo token: BufferToken, and offset: Int64, stopped: Set<BuildID>?) async throws -> Completion {
        var live = try await liveBuilds(of: partition.stream, within: Self.pointerAge)
        while true {
            let completion = try await isComplete(partition, upTo: token, and: offset, in: live, stopped)
            guard case .complete = completion else { return completion }
            // 18: complete is what those are that readers see.
            let now = try await liveBuilds(of: partition.stream, within: .zero)
            if now == live { return .complete }
            live = now
        }
    }

    private func isComplete(
        _ partition: PartitionID, upTo token: BufferToken, and offset: Int64, in live: Set<BuildID>, _ stopped: Set<BuildID>?
    ) async throws -> Completion {
        var checkpoints = try await readings.checkpoints(of: partition)
        let builds = live.subtracting(stopped ?? Set(checkpoints.filter { $0.stopped != nil }.map(\.build)))
        guard !builds.isEmpty else { return try await isLogged(partition, upTo: token) }
        checkpoints = checkpoints.filter { builds.contains($0.build) }
        let tokens = checkpoints.flatMap(\.complete).map(\.token)
        func isComplete(_ checkpoint: Checkpoint) -> Bool {
            checkpoint.offset >= offset && checkpoint.complete.contains { $0.token.run == token.run && $0.token.cuts >= token.cuts }
        }
        if checkpoints.count == builds.count, checkpoints.allSatisfy(isComplete) {
            return .complete
        }
        if try await self.token(of: partition).run != token.run { return .otherRun }
        var progress = Hasher()
        progress.combine(tokens)
        progress.combine(checkpoints.map(\.offset))
        progress.combine(try await readings.tail(of: partition).offset)
        return .underWay(progress: progress.finalize())
    }

    /// Where nothing is projected there is no checkpoint to ask: it is enough that everything is logged.
    private func isLogged(_ partition: PartitionID, upTo token: BufferToken) async throws -> Completion {
        let now = try await self.token(of: partition)
        guard now.run == token.run else { return .otherRun }
        let state = try await waiting(in: partition)
        // One cut at a time: with the second after the token's, what it asks for has left Redis.
        if state.waiting + state.inSegment == 0 || now.cuts > token.cuts + 1 { return .complete }
        return .underWay(progress: Int(state.waiting + state.inSegment))
    }

    func lastReceipt(of partition: PartitionID) async throws -> LastReceipt { try await runs.lastReceipt(of: partition) }

    func record(_ run: RunRecord) async throws { try await runs.record(run) }

    func pruneRuns(keeping keep: Duration) async throws -> Int64 { try await runs.prune(keeping: keep) }
}
