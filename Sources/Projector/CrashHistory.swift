import Events

/// What a partition's holders died of, as far as their successors can tell: kept with the lease.
///
/// An event that kills the process would kill every worker that takes the partition over. So deaths are counted for each
/// stage that has not moved since the death before. After `patience` of them the work is done carefully: one step at a
/// time, each written down before it begins. A step that is written down and did not take effect killed its worker; half
/// of it is tried next, until one element is left. When that alone has killed `patience` workers, it is parked unread.
///
/// All of it is a function of what is written down and of where the stages stand, without I/O.
public struct CrashHistory: Hashable, Sendable {
    public enum Stage: Hashable, Sendable {
        case ingest
        case project(BuildID)
    }

    /// Where a stage stood when a holder died, and how many have died there.
    public struct Standing: Hashable, Sendable {
        public var offset: Int64
        public var deaths: Int

        public init(offset: Int64, deaths: Int) {
            self.offset = offset
            self.deaths = deaths
        }
    }

    /// A step of a stage over these offsets.
    public struct Attempt: Hashable, Sendable {
        public var stage: Stage
        public var offsets: Range<Int64>

        public init(stage: Stage, offsets: Range<Int64>) {
            self.stage = stage
            self.offsets = offsets
        }
    }

    /// A step that killed its worker, so many times in a row.
    public struct Suspect: Hashable, Sendable {
        public var attempt: Attempt
        public var deaths: Int

        public init(attempt: Attempt, deaths: Int) {
            self.attempt = attempt
            self.deaths = deaths
        }
    }

    /// What a stage may do next.
    public enum Step: Hashable, Sendable {
        /// Decode or fold so many elements.
        case take(Int)
        /// Park the next element unread.
        case park
    }

    /// Deaths in one place that are borne before anything is done about them. Whoever kills workers by hand should not
    /// make events suspect.
    public static let patience = 3

    public var standings: [Stage: Standing] = [:]
    /// Written down before it began.
    public var attempt: Attempt?
    public var suspect: Suspect?

    public init() {}

    public var isCareful: Bool { suspect != nil || standings.values.contains { $0.deaths >= Self.patience } }

    /// The holder before did not give its lease back. `offsets` is where every stage stands now.
    public mutating func holderDied(at offsets: [Stage: Int64]) {
        if let attempt, offsets[attempt.stage] == attempt.offsets.lowerBound {
            suspect = Suspect(attempt: attempt, deaths: suspect?.attempt == attempt ? (suspect?.deaths ?? 0) + 1 : 1)
        }
        attempt = nil
        if let suspect, offsets[suspect.attempt.stage].map({ $0 >= suspect.attempt.offsets.upperBound }) ?? true { self.suspect = nil }
        standings = Dictionary(
            uniqueKeysWithValues: offsets.map { stage, offset in
                let before = standings[stage].flatMap { $0.offset == offset ? $0.deaths : nil } ?? 0
                return (stage, Standing(offset: offset, deaths: before + 1))
            })
    }

    /// What a stage may do at an offset where so many elements wait.
    public func step(of stage: Stage, at offset: Int64, most: Int) -> Step {
        guard let suspect, suspect.attempt.stage == stage, suspect.attempt.offsets.contains(offset) else { return .take(most) }
        if suspect.attempt.offsets.count == 1, suspect.deaths >= Self.patience { return .park }
        return .take(max(1, min(most, Int(suspect.attempt.offsets.upperBound - offset) / 2)))
    }

    /// The stage has got to an offset.
    public mutating func passed(_ stage: Stage, to offset: Int64) {
        attempt = nil
        standings[stage] = nil
        if let suspect, suspect.attempt.stage == stage, offset >= suspect.attempt.offsets.upperBound { self.suspect = nil }
    }

    /// The stage has nothing to do: that it stands still says nothing.
    public mutating func rests(_ stage: Stage) { standings[stage] = nil }
}

/// The crash history of a partition while its lease is held.
public actor CrashWatch {
    private var history: CrashHistory
    private let store: @Sendable (CrashHistory) async throws -> Void

    /// - Parameter store: writes the history down; throws when the lease is somebody else's.
    init(_ history: CrashHistory, store: @escaping @Sendable (CrashHistory) async throws -> Void) {
        self.history = history
        self.store = store
    }

    var isCareful: Bool { history.isCareful }

    /// What a stage may do next. Careful steps are written down before they are allowed.
    func step(of stage: CrashHistory.Stage, at offset: Int64, most: Int) async throws -> CrashHistory.Step {
        guard history.isCareful else { return .take(most) }
        let step = history.step(of: stage, at: offset, most: most)
        if case .take(let count) = step {
            history.attempt = .init(stage: stage, offsets: offset..<offset + Int64(count))
            try await store(history)
        }
        return step
    }

    /// The stage has got to an offset.
    func passed(_ stage: CrashHistory.Stage, to offset: Int64) async throws { try await change { $0.passed(stage, to: offset) } }

    /// The stage has nothing to do.
    func rests(_ stage: CrashHistory.Stage) async throws { try await change { $0.rests(stage) } }

    private func change(_ body: (inout CrashHistory) -> Void) async throws {
        guard history.isCareful else { return }
        body(&history)
        if !history.isCareful { try await store(history) }
    }
}

extension Refusal {
    /// Of an event that was parked unread, because workers died `doing` something with it.
    static func crashParked(_ doing: String) -> Refusal {
        Refusal(
            .crashParked,
            "\(CrashHistory.patience) workers died one after the other \(doing), and it was parked unread; a report with its bytes would help to mend that"
        )
    }
}
