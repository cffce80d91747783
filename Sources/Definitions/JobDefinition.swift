import Events
import Projector
import Schedules

/// A job of the runner: one file of `jobs/`, which gives it its name.
public struct JobDefinition: Hashable, Sendable {
    public var name: String
    /// Only then it is run.
    public var isEnabled: Bool
    public var work: Work
    /// When it runs; nil for what runs all the time.
    public var timetable: Timetable?

    public enum Work: Hashable, Sendable {
        case drain(Drain)
        case bridge(Bridge)
        case command(Command)
        case reconcile(Reconcile)
        case snapshot(Snapshot)
        case rebuild(Rebuild)
        case prune(Prune)
    }

    /// Drains streams all the time.
    public struct Drain: Hashable, Sendable {
        /// Sorted; all streams where the file names none.
        public var streams: [String]
        /// How long to wait when there is nothing to do. There is no pause while there is.
        public var poll: Duration = .milliseconds(20)
        /// How often a receipt is closed, unless nothing moved.
        public var every: Duration = .seconds(60)

        public init(streams: [String]) { self.streams = streams }
    }

    /// Moves Debezium's messages from Redis streams onto the lists of a stream.
    public struct Bridge: Hashable, Sendable {
        /// The Redis streams, in the order of the file.
        public var sources: [String]
        public var stream: String
        /// The group of consumers as which they are read.
        public var group = "millrace"
        /// Removes from a Redis stream what has been moved.
        public var trim = false

        public init(sources: [String], stream: String) {
            self.sources = sources
            self.stream = stream
        }
    }

    /// Runs a program.
    public struct Command: Hashable, Sendable {
        /// The program, looked for on the PATH, and its arguments. No shell reads them.
        public var words: [String]

        public init(words: [String]) { self.words = words }
    }

    /// Compares documents with the fold of their events.
    public struct Reconcile: Hashable, Sendable {
        /// All where the file names none, as for snapshots.
        public var models: [String] = []
        /// What the documents are compared with; nil for the log, and the source of truth that a model has.
        public var truth: Drift.Truth?
        /// Writes what the log makes, rather than only saying what differs.
        public var isRepair = false
        /// The part of the documents that is compared, drawn anew each time.
        public var sample = 1.0
        /// More drift than this is not repaired; nil for the larger of 1 % and 100 documents.
        public var maxChange: Int?
        /// Documents a second at most.
        public var throttle: Int?
        /// So many drifted documents do not make the job bad.
        public var alertAbove = 0

        public init() {}
    }

    /// Keeps what the documents are, as places in history.
    public struct Snapshot: Hashable, Sendable {
        public var models: [String] = []
        /// How many are kept of each model and partition.
        public var keep = 30
        public var moment = Moment.now

        /// As of when.
        public enum Moment: String, Hashable, CaseIterable, Sendable {
            case now
            /// As it was when the last month ended, by the clocks of the timetable. They are kept apart from the others.
            case monthEnd = "month-end"
        }

        public init() {}
    }

    /// Folds models into new builds.
    public struct Rebuild: Hashable, Sendable {
        public var models: [String]
        /// How long the build that readers leave is kept.
        public var keep = Duration.seconds(86_400)
        /// Events a second at most.
        public var throttle: Int?
        /// Whether they are loaded from their sources of truth first, and not folded from the beginning of the log.
        public var isFromSource = false

        public init(models: [String]) { self.models = models }
    }

    /// Removes what the streams need not retain any longer.
    public struct Prune: Hashable, Sendable {
        /// All where the file names none. Those that keep their log for ever lose nothing.
        public var streams: [String] = []
        /// What makes up for the log: every model can be loaded from elsewhere, or none needs to be built anew.
        public var isFromSource = false

        public init() {}
    }

    public init(name: String, isEnabled: Bool = true, work: Work, timetable: Timetable? = nil) {
        self.name = name
        self.isEnabled = isEnabled
        self.work = work
        self.timetable = timetable
    }

    /// Below, an idle worker keeps a core busy; above, nobody would call the documents fresh.
    public static let pollRange = Duration.milliseconds(1)...Duration.seconds(60)
    public static let everyRange = Duration.seconds(1)...Duration.seconds(86_400)
    public static let jitterRange = Duration.zero...Duration.seconds(86_400)
    /// Whoever needs a week is not looked after by a timeout.
    public static let timeoutRange = Duration.seconds(1)...Duration.seconds(7 * 86_400)
    public static let retriesRange = 0...10
    public static let keptSnapshotsRange = 1...10_000
    public static let keptBuildRange = Duration.zero...Duration.seconds(365 * 86_400)
    /// Documents, or events.
    public static let countRange = 0...1_000_000_000_000
    public static let rateRange = 1...1_000_000_000
}
