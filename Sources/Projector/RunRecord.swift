import Events
import Values

/// The record of one run of a job, or of one stretch of a continuous one: its receipt.
public struct RunRecord: Equatable, Sendable {
    public var id: String
    /// The job's name; the command's, where somebody gave it by hand.
    public var job: String
    public var kind: RunKind
    public var owner: String
    /// When it ended is told by the store's clock, and when it started by this.
    public var lasted: Duration
    public var outcome: RunOutcome
    /// Of a drain: where each partition stood when it ended.
    public var readings: [PartitionID: PartitionReading] = [:]
    /// Of a drain: the receipts that this one continues; nil where it stands by itself.
    public var last: [PartitionID: LastReceipt]?

    public init(id: String, job: String, kind: RunKind, owner: String, lasted: Duration, outcome: RunOutcome) {
        self.id = id
        self.job = job
        self.kind = kind
        self.owner = owner
        self.lasted = lasted
        self.outcome = outcome
    }
}

/// What was run.
public enum RunKind: String, CaseIterable, Sendable {
    case drain, reconcile, rebuild, snapshot, prune, erase, bridge, command
}

/// What became of a run.
public struct RunOutcome: Equatable, Sendable {
    public enum Verdict: String, CaseIterable, Sendable {
        case good
        /// Done, but the answer is not good: events parked, drift found, another program's exit code.
        case notGood = "not-good"
        /// Not done.
        case failed
        /// Stopped before it was done, with everything done so far kept.
        case interrupted
    }

    /// One part of the work, in the order in which they were begun.
    public struct Stage: Equatable, Sendable {
        public var name: String
        public var seconds: Double
        public var sums: Document

        public init(_ name: String, seconds: Double, sums: Document = Document()) {
            self.name = name
            self.seconds = seconds
            self.sums = sums
        }
    }

    public var verdict: Verdict
    public var stages: [Stage]
    /// What it counted, by names that stay.
    public var sums: Document
    /// At most `mostProblems` of them are kept.
    public var problems: [Refusal]

    /// A run that meets more has met one thing again and again.
    public static let mostProblems = 100

    public init(_ verdict: Verdict = .good, stages: [Stage] = [], sums: Document = Document(), problems: [Refusal] = []) {
        self.verdict = verdict
        self.stages = stages
        self.sums = sums
        self.problems = Array(problems.prefix(Self.mostProblems))
    }

    /// Of a run that an error ended.
    public init(failure error: any Error) {
        let problem =
            switch error {
            case let refusal as Refusal: refusal
            case let failure as any StoreFailure: Refusal(failure.problem, "\(failure)")
            case is CancellationError: Refusal(.interrupted, "it was stopped before it was done")
            default: Refusal(.bug, "\(error)")
            }
        self.init(problem.problem == .interrupted ? .interrupted : .failed, problems: [problem])
    }

    /// Of a drain.
    public init(_ receipt: Receipt) {
        let stopped = receipt.stopped
        self.init(receipt.parked > 0 || !stopped.isEmpty ? .notGood : .good, sums: receipt.document, problems: stopped.map(\.refusal))
    }
}

/// A run that is over, as it is stored.
public struct PastRun: Equatable, Sendable {
    public var id: String
    public var job: String
    public var kind: RunKind
    public var owner: String
    /// Milliseconds since 1970.
    public var started: Int64
    public var ended: Int64
    public var outcome: RunOutcome

    public init(id: String, job: String, kind: RunKind, owner: String, started: Int64, ended: Int64, outcome: RunOutcome) {
        self.id = id
        self.job = job
        self.kind = kind
        self.owner = owner
        self.started = started
        self.ended = ended
        self.outcome = outcome
    }
}

/// Which runs are meant.
public struct RunFilter: Hashable, Sendable {
    public var job: String?
    public var kind: RunKind?
    public var verdict: RunOutcome.Verdict?
    /// Only those that ended at this time or later: milliseconds since 1970.
    public var since: Int64?

    public init() {}
}
