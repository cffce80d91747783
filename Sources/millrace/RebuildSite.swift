import Definitions
import Events
import Jobs
import Logging
import Models
import MongoStore
import Projector
import Values

/// Where models are rebuilt: MongoDB alone, with connections for each partition.
struct RebuildSite: Sendable {
    private let configuration: Configuration
    private let pool: MongoPool
    private let store: MongoProjectionStore
    private let snapshots: MongoSnapshots
    private let leases: MongoLeases
    private let readings: MongoReadings
    private let runs: MongoRuns
    private let holder: String
    private let logger: Logger

    init(_ configuration: Configuration, logger: Logger) async throws {
        self.configuration = configuration
        self.logger = logger
        let partitions = configuration.streams.map(\.partitions).max() ?? 1
        // With one for a source of truth.
        pool = try MongoPool(url: configuration.mongodb.url, connections: 2 * partitions + 3)
        let control = try MongoConnection(pool: pool, name: "control")
        try await MongoServer.inspect(control)
        let database = configuration.mongodb.database
        guard try await MongoCatalog(connection: control, database: database).installation() != nil else {
            throw Refusal(.unknownName, "nothing was drained into \(database) yet: there is nothing to rebuild")
        }
        let switching = try MongoConnection(pool: pool, name: "switch")
        store = MongoProjectionStore(connection: switching, database: database)
        snapshots = MongoSnapshots(connection: switching, database: database)
        // Of its own, so that the lease is renewed while an index is made.
        leases = MongoLeases(connection: control, database: database)
        readings = MongoReadings(connection: control, database: database)
        runs = MongoRuns(connection: control, database: database)
        holder = Owner.make()
    }

    func pointer(to model: Model) async throws -> ModelPointer {
        guard let pointer = try await store.pointer(to: model.name) else {
            throw Refusal(.unknownName, "\(model.name) has no build yet: it is made when a worker starts")
        }
        return pointer
    }

    func documents(of build: BuildID) async throws -> Int64 { try await readings.documents(of: build) }

    /// Elements of the log that the model is folded from.
    func logged(of model: Model) async throws -> Int64 {
        var sum: Int64 = 0
        for partition in partitions(of: model) { sum += try await readings.tail(of: partition).offset }
        return sum
    }

    /// What a model is loaded with. Throws a `Refusal` where it has no source of truth.
    func rows(of model: Model) throws -> SourceLoad.Rows {
        guard let truth = model.truth, let stream = configuration.stream(model.stream) else {
            throw Refusal(.badInput, "\(model.name) has no source of truth to be loaded from: its definition has no source:")
        }
        return SourceLoad.Rows(truth, try truth.rows(configuration) { try MongoConnection(pool: pool, name: "source") }, stream)
    }

    /// - Parameters:
    ///   - isRecorded: whether it leaves a receipt of its own. A job's run does that itself.
    ///   - progress: is told when a stage begins, and how far a partition is in it.
    func rebuild(
        _ model: Model, _ settings: Rebuild.Settings, isRecorded: Bool = true,
        progress: @escaping @Sendable (Rebuild.Stage, BuildID, PartitionID?, Int64) -> Void
    ) async throws -> Rebuild.Outcome {
        let places = try places(of: model)
        return try await sole(model, places).run { hold in
            let rebuild = Rebuild(model, hold, places, store, snapshots, settings: settings, logger: logger, folding: folding, report: progress)
            let started = ContinuousClock.now
            do {
                let outcome = try await rebuild.run()
                if isRecorded { await record(model, started, RunOutcome(stages: outcome.stages, sums: outcome.sums)) }
                return outcome
            } catch {
                if isRecorded { await record(model, started, RunOutcome(failure: error)) }
                throw error
            }
        }
    }

    /// A receipt, also of a rebuild that was interrupted. One that cannot be written is said, and keeps nothing else from going on.
    private func record(_ model: Model, _ started: ContinuousClock.Instant, _ outcome: RunOutcome) async {
        var outcome = outcome
        outcome.sums = Document([Document.Field("model", .string(model.name))] + outcome.sums.fields)
        let run = RunRecord("rebuild", .rebuild, owner: holder, started: started, outcome)
        let writing = Task { try await runs.record(run) }
        if case .failure(let failure) = await writing.result { logger.warning("no receipt could be written", metadata: ["error": "\(failure)"]) }
    }

    func undo(_ model: Model, keep: Duration) async throws -> RebuildUndo.Outcome {
        let places = try places(of: model)
        let undo = RebuildUndo(model.name, places, store, keep: keep, logger: logger, folding: folding)
        if let struckOut = try await undo.strikeOut() { return struckOut }
        return try await sole(model, places).run { _ in try await undo.run() }
    }

    /// Removes every build but the live one, and returns which there were.
    func forget(_ model: Model) async throws -> [BuildID] {
        try await sole(model).run { _ in
            let pointer = try await pointer(to: model)
            guard pointer.entry == nil else { throw Refusal(.noProgress, "a switch of \(model.name) is under way: rebuild --undo strikes it out") }
            let others = pointer.builds.map(\.build.id).filter { $0 != pointer.live }
            for build in others { try await store.drop(build) }
            return others
        }
    }

    private func folding(_ build: StoredBuild) throws -> any Folding { try build.fold(configuration.model(build.id.model)) }

    private func partitions(of model: Model) -> [PartitionID] {
        (0..<(configuration.stream(model.stream)?.partitions ?? 0)).map { PartitionID(stream: model.stream, number: $0) }
    }

    private func places(of model: Model) throws -> [RebuildFold.Place] {
        try partitions(of: model).map { partition in
            let database = configuration.mongodb.database
            let project = try MongoConnection(pool: pool, name: "project \(partition)")
            let log = try MongoConnection(pool: pool, name: "log \(partition)")
            return RebuildFold.Place(
                partition, store: MongoProjectionStore(connection: project, database: database), log: MongoLog(connection: log, database: database))
        }
    }

    /// With every session that a transaction of this process may be left open in.
    private func sole(_ model: Model, _ places: [RebuildFold.Place] = []) async throws -> SoleWork {
        var sessions = [try await store.sessionId()]
        for place in places { sessions.append(try await place.store.sessionId()) }
        return .onBuilds(of: model.name, leases, LeaseHolder(id: holder, sessions: sessions), configuration.lease)
    }
}
