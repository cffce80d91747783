import Events
import Logging
import Models
import Values

/// Folds a model into a new build beside the live one, and sends readers over to it.
///
/// The live build is drained all the while under its own definition. What is killed at any point leaves the live build as it
/// is, and a build that another run goes on with or removes; what is cancelled, or fails, removes it itself.
public struct Rebuild: Sendable {
    public struct Settings: Sendable {
        /// How long the build that is left is kept.
        public var keep = Duration.seconds(24 * 3600)
        /// Goes on with a build that another run has left.
        public var isResumed = false
        /// At most so many events a second.
        public var rate: Int?
        /// What the new build is loaded with, before it takes the log from there on; nil for all of the log.
        public var rows: SourceLoad.Rows?

        public init() {}
    }

    public enum Stage: String, Sendable {
        case loading, folding, indexing, comparing, switching, removing
    }

    /// What came of it.
    public struct Outcome: Sendable {
        public var left: BuildID
        public var build: BuildID
        public var comparison: BuildComparison
        /// Indexes that could not be made, one line each.
        public var indexFaults: [String]
        /// Rows that it was loaded with.
        public var rows: Int64?
        /// Events that the new build has taken.
        public var totals = ProjectionTotals()
        public var stages: [RunOutcome.Stage] = []

        /// The members that commands print and receipts keep.
        public var sums: Document {
            let loaded = Document(rows.map { [Document.Field("rows", .int64($0))] } ?? [])
            let sums: Document = [
                "build": .string(build.description), "left": .string(left.description), "events": .int64(totals.logged), "applied": .int64(totals.applied),
                "ignored": .int64(totals.ignored), "parked": .int64(totals.parked), "held": .int64(totals.held),
                "documents": .int64(comparison.newDocuments), "documentsBefore": .int64(comparison.liveDocuments),
                "compared": .int64(Int64(comparison.sampled)), "different": .array(comparison.different.map(Value.string)),
                "differenceExpected": .bool(comparison.isExpected), "indexFaults": .array(indexFaults.map(Value.string)),
            ]
            return Document(sums.fields + loaded.fields)
        }
    }

    private let model: Model
    private let hold: SoleWork.Hold
    private let places: [RebuildFold.Place]
    private let store: any RebuildStore
    private let snapshots: any SnapshotStore
    private let settings: Settings
    private let logger: Logger
    private let folding: @Sendable (StoredBuild) throws -> any Folding
    private let report: @Sendable (Stage, BuildID, PartitionID?, Int64) -> Void

    /// - Parameters:
    ///   - hold: on the model's builds.
    ///   - store: with a session of its own, which the snapshots share.
    ///   - folding: the fold that a build was made by.
    ///   - report: hears of each stage, and of how far each partition has come in it.
    public init(
        _ model: Model, _ hold: SoleWork.Hold, _ places: [RebuildFold.Place], _ store: any RebuildStore, _ snapshots: any SnapshotStore, settings: Settings,
        logger: Logger, folding: @escaping @Sendable (StoredBuild) throws -> any Folding,
        report: @escaping @Sendable (Stage, BuildID, PartitionID?, Int64) -> Void
    ) {
        self.model = model
        self.hold = hold
        self.folding = folding
        self.places = places
        self.store = store
        self.snapshots = snapshots
        self.settings = settings
        self.logger = logger
        self.report = report
    }

    public func run() async throws -> Outcome {
        if let outcome = try await Fault.borne("finish a switch", logger, { try await finishLeft() }), settings.isResumed { return outcome }
        // Begun again, it removes what it had made.
        let (build, tails) = try await Fault.borne("prepare a rebuild", logger) { try await prepare() }
        do {
            return try await run(build, tails)
        } catch {
            // Where a server keeps it from going on, and where somebody else has the lease, the build is left to the next run.
            if hold.isLost || ((error as? any StoreFailure)?.isRetriable ?? false) { throw error }
            // In a task of its own: this one may be cancelled.
            let cleaning = Task { try await Fault.borne("remove the new build", logger) { try await abandon(build.id) } }
            if case .failure(let failure) = await cleaning.result {
                logger.warning("the new build is left behind: rebuild --resume goes on with it, and rebuild removes it", metadata: ["error": "\(failure)"])
            }
            throw error
        }
    }

    /// Finishes a switch that another run has left. For one that is resumed that is all there is to do.
    private func finishLeft() async throws -> Outcome? {
        let before = try await pointer()
        guard let entry = before.entry else { return nil }
        report(.switching, entry.target, nil, 0)
        guard try await switching().finish(entry), let left = try await pointer().lastLeft else { return nil }
        var outcome = Outcome(left: left.id, build: entry.target, comparison: BuildComparison(), indexFaults: [])
        outcome.comparison.liveDocuments = try await store.count(of: left.id)
        outcome.comparison.newDocuments = try await store.count(of: entry.target)
        outcome.totals = try await totals(of: entry.target)
        return outcome
    }

    private func totals(of build: BuildID) async throws -> ProjectionTotals {
        var totals = ProjectionTotals()
        for place in places { totals += try await store.checkpoint(of: build, place.partition)?.totals ?? ProjectionTotals() }
        return totals
    }

    /// Removes what another run has left, and makes the new build, or finds it. Of one that is to be loaded, it returns where the
    /// log ends in each partition.
    private func prepare() async throws -> (build: StoredBuild, tails: [PartitionID: LogTail]?) {
        let pointer = try await pointer()
        var found = pointer.builds.last { $0.state == .building }.map(\.build)
        if settings.isResumed {
            guard let left = found else { throw Refusal(.unknownName, "there is no build of \(model.name) that a rebuild has left: leave out --resume") }
            guard left.isFoldable, left.foldHash == model.foldHash else {
                throw Refusal(.badConfiguration, "\(left.id) is folded under another definition than the model has now: leave out --resume to begin again")
            }
            guard (left.loaded != nil) == (settings.rows != nil) else {
                throw Refusal(
                    .badConfiguration,
                    "\(left.id) was begun with\(left.loaded == nil ? "out" : "") --from-source: say so too, or leave out --resume to begin again")
            }
            // Half a load has no order to go on in.
            if try await !SourceLoad.isComplete(left, places.map(\.partition), snapshots) { found = nil }
        }
        for build in pointer.builds where build.state == .dropping || build.state == .building && !(settings.isResumed && build.build == found) {
            report(.removing, build.build.id, nil, 0)
            try await store.drop(build.build.id)
        }
        if settings.isResumed, let found { return (found, nil) }
        var tails: [PartitionID: LogTail]?
        if settings.rows != nil {
            tails = [:]
            for place in places { tails?[place.partition] = try await place.log.tail(of: place.partition) }
        }
        let loaded = tails.map { tails in places.map { tails[$0.partition]?.offset ?? 0 } }
        let time = try await store.clock()
        let model = model
        guard let added = try await store.change(model.name, { $0.adding(model, loaded: loaded, at: time).pointer }), let build = added.builds.last?.build
        else {
            throw Refusal(.unknownName, "\(model.name) has no build yet: it is made when a worker starts")
        }
        try await store.make(build)
        CrashPoint.buildAdded.reached()
        return (build, tails)
    }

    /// - Parameter tails: of the log, where it is to be loaded still.
    private func run(_ build: StoredBuild, _ tails: [PartitionID: LogTail]?) async throws -> Outcome {
        guard let live = try await pointer().liveBuild else { throw Refusal(.unknownName, "\(model.name) has no live build") }
        var outcome = Outcome(left: live.id, build: build.id, comparison: BuildComparison(), indexFaults: [])
        var began = ContinuousClock.now
        func ended(_ stage: Stage) {
            outcome.stages.append(RunOutcome.Stage(stage.rawValue, seconds: (.now - began) / .seconds(1)))
            began = .now
        }
        let fold = RebuildFold(build.id, model.fold, places, rate: settings.rate, logger: logger) { report(.folding, build.id, $0, $1) }
        try await Fault.borne("make a build", logger) { try await store.make(build) }
        if let rows = settings.rows, let tails {
            report(.loading, build.id, nil, 0)
            let load = SourceLoad(build, model.fold, rows, places.map(\.partition), store, snapshots, logger: logger) {
                report(.loading, build.id, nil, $0)
            }
            outcome.rows = try await load.run(tails)
            ended(.loading)
        }
        report(.folding, build.id, nil, 0)
        try await fold.catchUp()
        CrashPoint.buildFolded.reached()
        ended(.folding)
        report(.indexing, build.id, nil, 0)
        // Also where making one takes longer than a call may: asked for again, it is waited for again.
        outcome.indexFaults = try await Fault.borne("make the indexes", logger) { try await store.make(model.indexes, of: build.id) }
        CrashPoint.indexesMade.reached()
        ended(.indexing)
        report(.comparing, build.id, nil, 0)
        outcome.comparison = try await Fault.borne("compare the builds", logger) {
            try await BuildComparison.of(build, with: live, store) { try await fold.catchUp() }
        }
        ended(.comparing)
        outcome.totals = try await totals(of: build.id)
        report(.switching, build.id, nil, 0)
        try await fold.catchUp()
        try Task.checkCancellation()
        let switching = switching(fold)
        let id = RandomUUID.text()
        let entry = try await Fault.borne("enter a switch", logger) { try await switching.enter(build.id, keep: settings.keep, id: id) }
        guard try await switching.finish(entry) else {
            throw Refusal(.noProgress, "the switch to \(build.id) was struck out by somebody else: readers see \(live.id) as before")
        }
        ended(.switching)
        // Those whose time is over: with no time to be kept, the one that was just left.
        for build in try await pointer().droppable(at: store.clock()) {
            report(.removing, build, nil, 0)
            try await store.drop(build)
        }
        return outcome
    }

    private func switching(_ fold: RebuildFold? = nil) -> BuildSwitch {
        BuildSwitch(model: model.name, places, store, fold, logger: logger, folding: folding)
    }

    private func pointer() async throws -> ModelPointer {
        guard let pointer = try await store.pointer(to: model.name) else {
            throw Refusal(.unknownName, "\(model.name) has no build yet: it is made when a worker starts")
        }
        return pointer
    }

    /// Leaves everything as it was. Where readers have gone over already, the switch is finished instead.
    private func abandon(_ build: BuildID) async throws {
        if let entry = try await pointer().entry, entry.target == build {
            try await switching().strikeOut(entry)
            if try await pointer().live == build { _ = try await switching().finish(entry) }
        }
        guard try await pointer().live != build else { return }
        try await store.drop(build)
    }
}
