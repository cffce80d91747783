import Definitions
import Events
import Jobs
import Models
import MongoStore
import Projector
import Schedules
import Values

/// Snapshots of some models, one after the other, with a receipt.
struct SnapshotsRun: Sendable {
    struct Made: Sendable {
        var model: String
        var snapshot: Snapshot
        var base: Snapshot?
        var lasted: Duration
    }

    private let reader: Reader
    private let models: [String]
    private let keep: Int
    private let moment: Moment
    private let leases: MongoLeases
    private let owner = Owner.make()

    /// As of when.
    enum Moment: Sendable {
        case now
        /// As it was when the last month ended, by the clocks of a zone: the same for all partitions, whenever it is made.
        case monthEnd(Zone)
    }

    /// Beside the reader's own: the leases'.
    static let connections = 2

    /// - Parameter models: all that have a build when none is named.
    init(_ reader: Reader, models: [String], keep: Int, as moment: Moment = .now) throws {
        self.reader = reader
        self.models = reader.built(models)
        self.keep = keep
        self.moment = moment
        leases = MongoLeases(connection: try reader.connection("leases"), database: reader.configuration.mongodb.database)
    }

    /// Makes the snapshots, and leaves a receipt.
    func run() async throws -> [Made] {
        let started = ContinuousClock.now
        do {
            let made = try await results()
            try await record(started, Self.outcome(of: made))
            return made
        } catch {
            // What ended it is said, whether that can be recorded or not.
            try? await record(started, RunOutcome(failure: error))
            throw error
        }
    }

    /// Makes the snapshots.
    func results() async throws -> [Made] {
        var made: [Made] = []
        for model in models { made += try await make(model) }
        return made
    }

    /// What a receipt says of it.
    static func outcome(of made: [Made]) -> RunOutcome {
        let sums: Document = [
            "snapshots": .int64(Int64(made.count)), "documents": .int64(made.reduce(0) { $0 + $1.snapshot.documents }),
            "events": .int64(made.reduce(0) { $0 + $1.events }), "bytes": .int64(made.reduce(0) { $0 + $1.snapshot.bytes }),
        ]
        return RunOutcome(stages: made.map { RunOutcome.Stage("\($0.snapshot.id)", seconds: $0.lasted / .seconds(1)) }, sums: sums)
    }

    private func make(_ model: String) async throws -> [Made] {
        guard let build = reader.builds[model] else { throw Refusal.noBuild(of: model) }
        let (definition, partitions) = try reader.definition(of: build)
        return try await SoleWork.onTruth(of: model, leases, by: owner, reader.configuration.lease).run { _ in
            var made: [Made] = []
            for partition in partitions {
                let started = ContinuousClock.now
                guard let (offset, purpose) = try await place(in: definition, partition) else { continue }
                let run = SnapshotRun(definition, partition, store: reader.snapshots, log: reader.log)
                let (snapshot, base) = try await run.make(at: offset, for: purpose, keep: keep)
                made.append(Made(model: model, snapshot: snapshot, base: base, lasted: .now - started))
            }
            return made
        }
    }

    /// nil where nothing had been logged by then, or what the build was loaded with is newer.
    private func place(in definition: FoldDefinition, _ partition: PartitionID) async throws -> (offset: Int64, purpose: Snapshot.Purpose)? {
        let build = definition.build
        let reached = try await reader.checkpoint(of: build, partition).offset
        guard case .monthEnd(let zone) = moment else { return (reached, .history) }
        let end = zone.monthStart(at: try await reader.log.clock())
        let offset = try await reader.readings.offset(at: end, of: partition)
        guard offset > definition.load(in: partition) ?? 0 else { return nil }
        guard offset <= reached else {
            throw Refusal(
                .notCaughtUp, "\(build) has taken \(partition) into effect up to offset \(reached), and the month's end is at \(offset): try again")
        }
        return (offset, .monthEnd)
    }

    private func record(_ started: ContinuousClock.Instant, _ outcome: RunOutcome) async throws {
        try await reader.runs.record(RunRecord("snapshot", .snapshot, owner: owner, started: started, outcome))
    }
}

extension SnapshotsRun.Made {
    /// Elements of the log since the snapshot that it was made from.
    var events: Int64 { snapshot.id.offset - (base?.id.offset ?? 0) }
}

extension SoleWork {
    /// What goes through the documents or the snapshots of a whole model.
    static func onTruth(of model: String, _ leases: MongoLeases, by owner: String, _ duration: Duration) -> SoleWork {
        SoleWork(
            .work("reconcile", on: model), what: "a reconcile or a snapshot of \(model)", leases: leases, holder: LeaseHolder(id: owner, sessions: []),
            duration: duration)
    }
}
