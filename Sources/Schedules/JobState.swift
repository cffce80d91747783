/// What is known of a job beside its file, for all runners.
public struct JobState: Equatable, Sendable {
    /// Up to when the schedule has been dealt with: what was due until then has begun or was skipped. Milliseconds since 1970.
    public var handled: Int64
    public var isPaused = false
    public var running: Running?
    public var last: Last?
    public var retry: Retry?
    /// Runs that were due and did not begin.
    public var skipped = Skipped()

    public struct Running: Equatable, Sendable {
        /// The id of the run.
        public var run: String
        public var owner: String
        /// Milliseconds since 1970.
        public var started: Int64
        /// 1 for the first. 0 for a run by hand, which is not tried again.
        public var attempt: Int

        public init(run: String, owner: String, started: Int64, attempt: Int) {
            self.run = run
            self.owner = owner
            self.started = started
            self.attempt = attempt
        }
    }

    public struct Last: Equatable, Sendable {
        public var run: String
        public var ended: Int64
        /// The name of the verdict.
        public var verdict: String
        /// It was good: the job is bad from one that was not until the next one that is.
        public var isGood: Bool

        public init(run: String, ended: Int64, verdict: String, isGood: Bool) {
            self.run = run
            self.ended = ended
            self.verdict = verdict
            self.isGood = isGood
        }
    }

    /// A run that is to be tried again.
    public struct Retry: Equatable, Sendable {
        public var at: Int64
        public var attempt: Int

        public init(at: Int64, attempt: Int) {
            self.at = at
            self.attempt = attempt
        }
    }

    public struct Skipped: Equatable, Sendable {
        public var overlap: Int64 = 0
        public var missed: Int64 = 0

        public init(overlap: Int64 = 0, missed: Int64 = 0) {
            self.overlap = overlap
            self.missed = missed
        }
    }

    public init(handled: Int64) { self.handled = handled }
}
