import Definitions
import Events
import Foundation
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
    let models: [LiveModel]
    private let redis: RedisURL
    private let pool: MongoPool
    private let control: MongoConnection
    private let buffers: [PartitionID: RedisBuffer]
    private let logger: Logger

    /// A model and the build it is served from.
    struct LiveModel: Sendable {
        var build: StoredBuild
        /// The definition the build is folded under; nil when this binary cannot fold it.
        var fold: EffectFold?
        /// The definition's fold part was edited since the build was made.
        var needsRebuild: Bool
        /// nil where the build goes on under another definition.
        var indexes: [DocumentIndex]?
    }

    /// Opens an installation for work: checks the servers, and registers streams and models. Throws a `Refusal` for what
    /// a person must change first.
    static func open(_ configuration: Configuration, logger: Logger) async throws -> Runtime {
        let redis = try RedisURL(configuration.redis.url)
        let server = RedisServer(url: redis)
        let inspection = try await server.inspect()
        if let refusal = inspection.refusals.first { throw refusal }
        for warning in inspection.warnings { logger.warning("\(warning)") }

        // One connection for control, one for indexes, and two for each partition.
        let partitions = configuration.streams.reduce(0) { $0 + $1.partitions }
        let pool = try MongoPool(url: configuration.mongodb.url, connections: 2 * partitions + 2)
        let control = try MongoConnection(pool: pool, name: "control")
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
        var models: [LiveModel] = []
        for model in configuration.models {
            models.append(try live(model, try await catalog.register(model), logger))
        }
        return Runtime(
            configuration: configuration, installation: installation,
            owner: "\(ProcessInfo.processInfo.hostName)/\(ProcessInfo.processInfo.processIdentifier)/\(UUID().uuidString.lowercased().prefix(8))",
            readings: readings, runs: MongoRuns(connection: control, database: configuration.mongodb.database), models: models, redis: redis, pool: pool,
            control: control, buffers: makeBuffers(configuration, redis, installation.id), logger: logger
        )
    }

    private static func live(_ model: Model, _ build: StoredBuild, _ logger: Logger) throws -> LiveModel {
        let needsRebuild = build.foldHash != model.foldHash
        guard build.isFoldable else {
            logger.error(
                "the model is not projected: its build was folded by another version",
                metadata: ["model": "\(model.name)", "build": "\(build.id)", "foldVersion": "\(build.foldVersion)", "carried": "\(foldVersion)"]
            )
            return LiveModel(build: build, fold: nil, needsRebuild: needsRebuild)
        }
        if needsRebuild {
            logger.warning("rebuild needed: the model goes on under its build's definition", metadata: ["model": "\(model.name)", "build": "\(build.id)"])
        }
        return LiveModel(build: build, fold: try build.fold(model), needsRebuild: needsRebuild, indexes: needsRebuild ? nil : model.indexes)
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
        for model in models {
            guard let indexes = model.indexes else { continue }
            do {
                for fault in try await make(indexes, of: model.build.id) {
                    logger.error("an index cannot be made", metadata: ["model": "\(model.build.id.model)", "error": "\(fault)"])
                }
            } catch {
                logger.error("the indexes are not looked after", metadata: ["model": "\(model.build.id.model)", "error": "\(error)"])
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

    /// How much is waiting in a partition's list.
    func waiting(in partition: PartitionID) async throws -> BufferState {
        try await buffer(of: partition).waiting()
    }

    /// The log of a partition, for reading.
    func log() -> MongoLog { MongoLog(connection: control, database: configuration.mongodb.database) }

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
        let projections = models.filter { $0.build.stream == partition.stream }.compactMap { model in
            model.fold.map { fold in
                Projection(build: model.build.id, partition: partition, fold: fold, store: store, log: log, logger: logger)
            }
        }
        var settings = PartitionWorker.Settings()
        settings.lease = configuration.lease
        settings.poll = poll
        return PartitionWorker(
            partition: partition, list: stream.list(of: partition.number),
            ingest: Ingest(settings: stream, partition: partition, buffer: try buffer(of: partition), log: log), projections: projections, store: store,
            leases: MongoLeases(connection: control, database: database), holder: owner, settings: settings, stop: stop, logger: logger
        )
    }

    func reading(of partition: PartitionID) async throws -> PartitionReading {
        var reading = try await readings.reading(of: partition)
        let projected = Set(models.filter { $0.fold != nil && $0.build.stream == partition.stream }.map(\.build.id))
        reading.builds = reading.builds.filter { projected.contains($0.key) }
        for build in projected where reading.builds[build] == nil { reading.builds[build] = ProjectionTotals() }
        reading.stopped = reading.stopped.filter { projected.contains($0.key) }
        return reading
    }

    func token(of partition: PartitionID) async throws -> BufferToken { try await buffer(of: partition).token() }

    func isComplete(_ partition: PartitionID, upTo token: BufferToken, stopped: Set<BuildID>?) async throws -> Completion {
        var builds = Set(models.filter { $0.fold != nil && $0.build.stream == partition.stream }.map(\.build.id))
        var checkpoints = try await readings.checkpoints(of: partition)
        builds.subtract(stopped ?? Set(checkpoints.filter { $0.stopped != nil }.map(\.build)))
        guard !builds.isEmpty else { return try await isLogged(partition, upTo: token) }
        checkpoints = checkpoints.filter { builds.contains($0.build) }
        let tokens = checkpoints.flatMap(\.complete).map(\.token)
        if checkpoints.count == builds.count, checkpoints.allSatisfy({ $0.complete.contains { $0.token.run == token.run && $0.token.cuts >= token.cuts } }) {
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
