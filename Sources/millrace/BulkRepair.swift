import Definitions
import Events
import Logging
import Models
import MongoStore
import Projector
import Values

/// Does something about many dead letters, a transaction for each few thousand of one model and partition.
struct BulkRepair {
    let action: LetterAction
    let reader: Reader
    let isDryRun: Bool
    let logger: Logger
    private let holder = RandomUUID.text()
    private(set) var outcome = LetterOutcome()

    /// The longest pause between two transactions.
    private static let longestPause = Duration.seconds(1)

    init(action: LetterAction, reader: Reader, isDryRun: Bool, logger: Logger) {
        self.action = action
        self.reader = reader
        self.isDryRun = isDryRun
        self.logger = logger
    }

    /// The letters that a filter finds, a page after the other. What becomes of a page does not move those that follow.
    mutating func apply(_ filter: LetterFilter) async throws {
        for place in filter.places {
            var after: DeadLetterID?
            while true {
                let page = try await reader.letters.page(filter, in: place, after: after, limit: LetterRepair.mostLetters)
                guard let last = page.last else { break }
                try await apply(page.map(\.id))
                after = last.id
            }
        }
    }

    mutating func apply(_ ids: [DeadLetterID]) async throws {
        for (partition, ids) in Dictionary(grouping: ids, by: \.partition).sorted(by: { $0.key < $1.key }) {
            // Elements that are no events go with any model of their stream.
            let any = reader.builds.values.filter { $0.stream == partition.stream }.map(\.id.model).min()
            for (model, ids) in Dictionary(grouping: ids, by: { $0.build?.model ?? any }).sorted(by: { $0.key ?? "" < $1.key ?? "" }) {
                guard let build = model.flatMap({ reader.builds[$0] }) else {
                    throw Refusal(.unknownName, "there is no model that the letter \(ids[0]) is of")
                }
                try await apply(ids, build, partition)
            }
        }
    }

    private mutating func apply(_ ids: [DeadLetterID], _ build: StoredBuild, _ partition: PartitionID) async throws {
        let model = reader.configuration.model(build.id.model)
        let kept = try await keptBuilds(of: build.id.model).map { LetterRepair.Kept($0.id, fold: try $0.fold(model)) }
        let repair = LetterRepair(
            build: build.id, partition: partition, fold: try build.fold(model), kept: kept, store: reader.store, log: reader.log, leases: reader.leases,
            holder: holder, logger: logger)
        let started = ContinuousClock.now
        var place = 0
        while place < ids.count {
            let batch = Array(ids[place..<min(ids.count, place + LetterRepair.mostLetters)])
            outcome += try await repair.apply(action, to: batch, dryRun: isDryRun)
            place += batch.count
        }
        // Half of the time is the projection's, which a repair makes begin its batch again.
        if !isDryRun { try await Task.sleep(for: min(Self.longestPause, ContinuousClock.now - started)) }
    }

    /// The builds that are kept current, which are repaired with the live one. Throws where a rebuild is under way: the new build
    /// has taken the events as they were decided on before. So it is with a kept build that this binary does not fold.
    private func keptBuilds(of model: String) async throws -> [StoredBuild] {
        guard let pointer = try await reader.catalog.pointer(to: model) else { return [] }
        let kept = pointer.builds.filter(\.state.isKept).map(\.build)
        let others = pointer.builds.filter { $0.state == .building }.map(\.build.id) + kept.filter { !$0.isFoldable }.map(\.id)
        guard others.isEmpty || isDryRun else {
            throw Refusal(
                .notCaughtUp,
                "\(others.map(\.description).joined(separator: ", ")) would not know what becomes of these events: wait until no rebuild is under way, or remove "
                    + "what is left of one with rebuild --forget \(model)")
        }
        return kept.filter(\.isFoldable)
    }
}
