/// What is to be done about a job now.
public enum JobTurn: Equatable, Sendable {
    /// Nothing before this time, unless something changes.
    case wait(until: Int64?)
    /// Somebody is said to be at it: if he lives, nothing; if not, his run is over.
    case watch
    case run(attempt: Int)
    /// What was due is dealt with, without a run: it was missed.
    case skip

    /// How late a run may begin without having been missed: a runner is restarted in less.
    static let grace: Int64 = 60_000

    public static func next(of job: String, _ timetable: Timetable, _ state: JobState, now: Int64) -> JobTurn {
        if state.running != nil { return .watch }
        if state.isPaused { return .wait(until: nil) }
        if let retry = state.retry, retry.at <= now { return .run(attempt: retry.attempt) }
        guard let due = timetable.due(after: state.handled, of: job) else { return .wait(until: state.retry?.at) }
        guard due <= now else { return .wait(until: min(due, state.retry?.at ?? due)) }
        // What came due during a run was not missed: a runner was there, and it is queued.
        let wasMissed = now - max(due, state.last?.ended ?? 0) > grace
        return wasMissed && timetable.missed == .skip ? .skip : .run(attempt: 1)
    }
}

/// How a run ended, as far as it matters for the next one.
public enum RunEnd: Equatable, Sendable {
    case done
    case failed
    /// The runner was stopped.
    case interrupted
}

extension JobState {
    /// The state after its run.
    public func ended(_ job: String, _ timetable: Timetable, _ last: Last, as end: RunEnd) -> JobState {
        var next = self
        (next.running, next.last, next.retry) = (nil, last, nil)
        let attempt = running?.attempt ?? 0
        switch end {
        case .failed where attempt > 0 && attempt <= timetable.retries:
            next.retry = Retry(at: last.ended + Self.pause(before: attempt + 1), attempt: attempt + 1)
        case .interrupted where attempt > 0 && timetable.missed == .once:
            // Made up for by whoever comes next, as if no runner had been there.
            next.retry = Retry(at: last.ended, attempt: attempt)
        default: break
        }
        if timetable.overlap == .skip, let due = timetable.due(after: handled, of: job), due <= last.ended {
            next.handled = last.ended
            next.skipped.overlap += 1
        }
        return next
    }

    /// Before the second attempt 2 s, then four times as long each time, and at most ten minutes.
    static func pause(before attempt: Int) -> Int64 { min(2000 << Int64(2 * min(attempt - 2, 10)), 600_000) }
}
