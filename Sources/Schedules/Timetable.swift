import Values

/// When a job runs, and what becomes of a run that cannot begin, does not end, or fails.
public struct Timetable: Hashable, Sendable {
    public var schedule: Schedule
    /// How much later than its schedule a run may begin, so that not everything begins at the full hour.
    public var jitter: Duration = .zero
    /// After which a run is stopped, and has failed.
    public var timeout: Duration?
    public var overlap: Overlap = .skip
    public var missed: Missed = .once
    /// How often a failed run is tried again.
    public var retries = 0

    /// What becomes of a run that is due while the one before it goes on.
    public enum Overlap: String, CaseIterable, Sendable {
        case skip
        /// One begins when the other has ended, however many were due.
        case queue
    }

    /// What becomes of runs that were due while no runner was there.
    public enum Missed: String, CaseIterable, Sendable {
        /// One is made up for, however many were due.
        case once
        case skip
    }

    public init(_ schedule: Schedule) { self.schedule = schedule }

    /// When the next run after this time is due: its time on the schedule and a part of the jitter, the same for whoever asks.
    public func due(after time: Int64, of job: String) -> Int64? {
        schedule.next(after: time).map { $0 + delay(at: $0, of: job) }
    }

    /// FNV-1a over the job's name and the time.
    private func delay(at time: Int64, of job: String) -> Int64 {
        guard jitter > .zero else { return 0 }
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in "\(job)@\(time)".utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        return Int64((hash >> 16) % UInt64(jitter.milliseconds))
    }
}
