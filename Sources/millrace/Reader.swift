import Definitions
import Events
import Models
import MongoStore
import Projector
import Values

/// What commands that only look need: no registration, no list is claimed, nothing is written.
struct Reader: Sendable {
    let configuration: Configuration
    let catalog: MongoCatalog
    let readings: MongoReadings
    let runs: MongoRuns
    let jobs: MongoJobs
    let log: MongoLog
    let letters: MongoDeadLetters
    let followers: MongoFollowers
    let tokens: MongoTokens
    /// For repairs: it and the log share a session.
    let store: MongoProjectionStore
    let leases: MongoLeases
    /// As they were when it began.
    let pointers: [String: ModelPointer]
    let installation: MongoCatalog.Installation?
    let snapshots: MongoSnapshots
    let drift: MongoDrift
    private let connection: MongoConnection
    private let pool: MongoPool

    /// - Parameters:
    ///   - answer: how long a server may be silent.
    ///   - connections: how many there can be, with those that `connection` gives.
    init(
        _ configuration: Configuration, selection: Duration = .seconds(5), answer: Duration = MongoPool.socketTimeout, connections: Int = 1
    ) async throws {
        self.configuration = configuration
        pool = try MongoPool(url: configuration.mongodb.url, connections: connections, selection: selection, answer: answer)
        connection = try MongoConnection(pool: pool, name: "read")
        let database = configuration.mongodb.database
        catalog = MongoCatalog(connection: connection, database: database)
        installation = try await catalog.installation()
        pointers = try await catalog.pointers()
        readings = MongoReadings(connection: connection, database: database)
        runs = MongoRuns(connection: connection, database: database)
        jobs = MongoJobs(connection: connection, database: database)
        log = MongoLog(connection: connection, database: database)
        letters = MongoDeadLetters(connection: connection, database: database)
        followers = MongoFollowers(connection: connection, database: database)
        tokens = MongoTokens(connection: connection, database: database)
        leases = MongoLeases(connection: connection, database: database)
        store = MongoProjectionStore(connection: connection, database: database)
        snapshots = MongoSnapshots(connection: connection, database: database)
        drift = MongoDrift(connection: connection, database: database)
    }

    /// Another connection, with a session of its own.
    func connection(_ name: String) throws -> MongoConnection { try MongoConnection(pool: pool, name: name) }

    /// What a build is folded under, and the partitions that it is folded from.
    func definition(of build: StoredBuild) throws -> (definition: FoldDefinition, partitions: [PartitionID]) {
        guard let stream = configuration.stream(build.stream) else { throw Refusal(.unknownName, "there is no stream \(build.stream)") }
        let fold = try build.fold(configuration.model(build.id.model))
        return (FoldDefinition(build, fold: fold), partitions(of: stream))
    }

    /// The models that are named, or all that have a build.
    func built(_ models: [String]) -> [String] { models.isEmpty ? configuration.models.map(\.name).filter { builds[$0] != nil } : models }

    /// The live builds as they were when it began, by model.
    var builds: [String: StoredBuild] { pointers.compactMapValues(\.liveBuild) }

    /// Builds that are there beside the live ones.
    var unreadBuilds: [BuildID] { pointers.values.flatMap { pointer in pointer.builds.map(\.build.id).filter { $0 != pointer.live } } }

    /// What is read of a model's live build: again from the beginning where that is another build by then (rule 18). nil for a
    /// model that has none.
    func live<Answer>(_ model: String, _ read: (StoredBuild) async throws -> Answer) async throws -> Answer? {
        var pointer = try await catalog.pointer(to: model)
        while let build = pointer?.liveBuild {
            let answer = try await read(build)
            pointer = try await catalog.pointer(to: model)
            if pointer?.live == build.id { return answer }
        }
        return nil
    }

    /// Throws a `Refusal` where this MongoDB cannot be used.
    func inspectServer() async throws { try await MongoServer.inspect(connection) }

    /// Whether the definition's fold part was edited since the live build was made.
    func needsRebuild(_ model: Model) -> Bool {
        builds[model.name].map { !model.goesOn(with: $0.foldHash) } ?? false
    }

    /// How far a build has taken a partition's log.
    func checkpoint(of build: BuildID, _ partition: PartitionID) async throws -> Checkpoint {
        try await readings.checkpoints(of: partition).first { $0.build == build } ?? Checkpoint(build: build, partition: partition)
    }

    /// The partitions of a stream.
    func partitions(of stream: StreamSettings) -> [PartitionID] {
        (0..<stream.partitions).map { PartitionID(stream: stream.name, number: $0) }
    }
}
