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
    let log: MongoLog
    let letters: MongoDeadLetters
    /// For repairs: it and the log share a session.
    let store: MongoProjectionStore
    let leases: MongoLeases
    let builds: [String: StoredBuild]
    let installation: MongoCatalog.Installation?
    private let connection: MongoConnection

    init(_ configuration: Configuration, selection: Duration = .seconds(5)) async throws {
        self.configuration = configuration
        connection = try MongoConnection(pool: MongoPool(url: configuration.mongodb.url, connections: 1, selection: selection), name: "read")
        let database = configuration.mongodb.database
        catalog = MongoCatalog(connection: connection, database: database)
        installation = try await catalog.installation()
        builds = try await catalog.liveBuilds()
        readings = MongoReadings(connection: connection, database: database)
        runs = MongoRuns(connection: connection, database: database)
        log = MongoLog(connection: connection, database: database)
        letters = MongoDeadLetters(connection: connection, database: database)
        leases = MongoLeases(connection: connection, database: database)
        store = MongoProjectionStore(connection: connection, database: database)
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
