import ArgumentParser
import Definitions
import Events
import Jobs
import Logging
import Models
import MongoStore
import Projector
import ReadAPI
import Reads
import RedisAddress
import RedisBuffer
import Schedules

/// What the read API reads by: connections of its own, so that neither it nor the drain waits for the other's.
struct ReadRuntime: Sendable {
    let setup: ReadSetup

    /// One reads for many lookups at once; the second is for when a server does not answer the first, and others would.
    private static let lookupConnections = 2
    private static let pageConnections = 2
    /// For lookups on the primary, for whoever waits for what was pushed, for jobs, tokens, caches, and whoever asks how it is.
    private static let otherConnections = 6
    /// Lookups and pages that wait for a connection.
    private static let mostLookups = 20_000
    private static let mostPages = 200
    private static let mostPast = 20
    /// How long one server may keep one read waiting; beyond, another is asked.
    private static let answer = Duration.milliseconds(700)
    private static let selection = Duration.milliseconds(300)

    /// Throws a `Refusal` for what a person must change first. Writes nothing.
    static func open(_ configuration: Configuration, incarnation: String) async throws -> ReadRuntime {
        let database = configuration.mongodb.database
        let url = configuration.mongodb.url
        let pool = try MongoPool(url: url, connections: lookupConnections + otherConnections, selection: selection, answer: answer)
        // A page may take all the time that there is: what is looked at for it is more than what is shown.
        let pagePool = try MongoPool(url: url, connections: pageConnections, selection: selection, answer: configuration.api.deadline + selection)
        func reads(_ name: String, _ pool: MongoPool) throws -> MongoReads {
            MongoReads(connection: try MongoConnection(pool: pool, name: name), database: database)
        }
        let partitions = configuration.streams.flatMap { stream in (0..<stream.partitions).map { PartitionID(stream: stream.name, number: $0) } }
        var (models, caches): ([ReadModel], [String: ReadCache]) = ([], [:])
        for model in configuration.models {
            guard let stream = configuration.stream(model.stream) else { continue }
            let read = ReadModel(model, partitions: stream.partitions)
            models.append(read)
            caches[model.name] = model.cache.map { ReadCache($0, of: read) }
        }
        let storm = Storm()
        let site = ReadSite(partitions: partitions, caches: caches)
        let other = try MongoConnection(pool: pool, name: "read jobs")
        let writeSide = try ReadWriteSide(configuration, jobs: MongoJobs(connection: other, database: database))
        let stored = MongoTokens(connection: try MongoConnection(pool: pool, name: "read tokens"), database: database)
        let tokens = TokenBook { try await stored.readable() }
        await tokens.open()
        let issued = configuration.api.issuer.map { issuer in
            IssuedTokens(issuer: issuer.url, audience: issuer.audience) { try await IssuerKeys.load(issuer.keys) }
        }
        await issued?.open()
        let setup = ReadSetup(
            models: models, incarnation: incarnation, version: Millrace.configuration.version, site: site,
            lookups: Lookups(site, storm: storm, connections: try (0..<lookupConnections).map { try reads("lookup \($0)", pool) }, mostWaiting: mostLookups),
            primaryLookups: Lookups(site, storm: storm, connections: [try reads("primary", pool)], mostWaiting: mostLookups),
            pages: Pages(site, connections: try (0..<pageConnections).map { try reads("page \($0)", pagePool) }, mostWaiting: mostPages),
            caughtUp: CaughtUp(site, connection: try reads("caught up", pool), writeSide, partitions: partitions),
            past: Past(readers: [PastRuntime(configuration)], mostWaiting: mostPast), follower: CacheFollower(site, connection: try reads("caches", pool)),
            probe: ReadProbe(site, connection: try reads("probe", pool)), tokens: tokens, issued: issued, storm: storm,
            deadline: configuration.api.deadline, rate: configuration.api.rate, concurrency: configuration.api.concurrency)
        return ReadRuntime(setup: setup)
    }
}

/// Lists and jobs, as the read API asks for them.
private struct ReadWriteSide: WriteSide {
    private let lists: [PartitionID: String]
    private let buffers: [PartitionID: RedisBuffer]
    private let jobs: MongoJobs
    /// Jobs that drain, and the streams of each; none for all.
    private let drains: [String: [String]]

    init(_ configuration: Configuration, jobs: MongoJobs) throws {
        let url = try RedisURL(configuration.redis.url)
        var (lists, buffers): ([PartitionID: String], [PartitionID: RedisBuffer]) = ([:], [:])
        for stream in configuration.streams {
            for number in 0..<stream.partitions {
                let partition = PartitionID(stream: stream.name, number: number)
                lists[partition] = stream.list(of: number)
                // Only tokens are asked for, which are of no installation.
                buffers[partition] = RedisBuffer(
                    url: url, list: stream.list(of: number), installation: "", maxEventBytes: stream.maxEventBytes, timeout: .seconds(1))
            }
        }
        (self.lists, self.buffers, self.jobs) = (lists, buffers, jobs)
        var drains: [String: [String]] = [:]
        for job in configuration.jobs { if case .drain(let drain) = job.work { drains[job.name] = drain.streams } }
        self.drains = drains
    }

    func list(of partition: PartitionID) -> String? { lists[partition] }

    func token(of partition: PartitionID) async throws -> BufferToken {
        guard let buffer = buffers[partition] else { throw Refusal(.unknownName, "there is no partition \(partition)") }
        return try await buffer.token()
    }

    func pausedStreams() async throws -> Set<String> {
        // Where it is not said who drains, somebody else may.
        guard !drains.isEmpty else { return [] }
        let states = try await jobs.known()
        return Set(lists.keys.map(\.stream)).filter { stream in
            let names = drains.filter { $0.value.isEmpty || $0.value.contains(stream) }.keys
            return !names.isEmpty && names.allSatisfy { states[$0]?.isPaused ?? false }
        }
    }
}
