import Events
import Logging
import Projector
import Schedules
import Values

/// One run of a scheduled job: on one runner at a time, however many there are, and with a receipt however it ends.
public struct BatchRun: Sendable {
    private let job: String
    private let timetable: Timetable
    private let work: any BatchWork
    private let office: JobOffice
    private let logger: Logger

    public init(_ job: String, _ timetable: Timetable, _ work: any BatchWork, _ office: JobOffice, logger: Logger) {
        self.job = job
        self.timetable = timetable
        self.work = work
        self.office = office
        self.logger = logger
    }

    /// Runs the job unless it is not as `state` says any more. Throws a `Refusal` (`lease-held`) where somebody else is at it.
    ///
    /// - Parameters:
    ///   - attempt: 0 for a run by hand, whatever the schedule says.
    ///   - stop: ends the run before it is done.
    /// - Returns: the receipt; nil where there was nothing to do any more.
    public func run(attempt: Int, from state: JobState, until stop: StopSignal) async throws -> RunRecord? {
        try await office.alone(at: job) {
            let running = JobState.Running(
                run: RandomUUID.text(), owner: office.owner, started: try await office.store.clock(), attempt: attempt)
            var begun = state
            // Whoever was at it is dead: the lease says so.
            if let dead = state.running { begun = try await bury(dead, state) }
            guard try await office.store.begin(running, of: job, from: begun) else { return nil }
            CrashPoint.runBegun.reached()
            if attempt == 1 { begun.handled = running.started }
            begun.running = running
            let started = ContinuousClock.now
            let outcome = await outcome(running, stop)
            var record = RunRecord(job, work.kind, owner: office.owner, started: started, outcome)
            record.id = running.run
            try await finish(record, begun, stop)
            return record
        }
    }

    /// Ends a run whose runner died. It is tried again as if it had failed.
    public func recover(from state: JobState) async throws {
        guard let dead = state.running else { return }
        _ = try await office.alone(at: job) { try await bury(dead, state) }
    }

    private func bury(_ dead: JobState.Running, _ state: JobState) async throws -> JobState {
        let problem = Refusal(.runnerDied, "the runner \(dead.owner) did not come back from it")
        logger.warning("a run was not ended", metadata: ["job": "\(job)", "run": "\(dead.run)", "error": "\(problem)"])
        let lasted = Duration.milliseconds(max(0, try await office.store.clock() - dead.started))
        let outcome = RunOutcome(.failed, problems: [problem])
        let record = RunRecord(id: dead.run, job: job, kind: work.kind, owner: dead.owner, lasted: lasted, outcome: outcome)
        // It may have died between its receipt and its end, and then the receipt is true.
        let known = try await office.runs.verdict(of: dead.run)
        if known == nil { try await office.runs.record(record) }
        return try await end(dead, state, known ?? .failed)
    }

    /// The work, with its limits.
    private func outcome(_ running: JobState.Running, _ stop: StopSignal) async -> RunOutcome {
        let context = BatchContext(run: running.run, job: job, logger: logger)
        do {
            return try await withThrowingTaskGroup(of: RunOutcome?.self) { group in
                group.addTask { try await work.run(context) }
                group.addTask {
                    let deadline = timetable.timeout.map { ContinuousClock.now + $0 }
                    while !stop.isRequested {
                        if let deadline, let timeout = timetable.timeout, ContinuousClock.now >= deadline {
                            throw Refusal(.timedOut, "it was stopped after its timeout of \(timeout)")
                        }
                        try await Task.sleep(for: .milliseconds(50))
                    }
                    return nil
                }
                defer { group.cancelAll() }
                guard let outcome = try await group.next() ?? nil else { throw CancellationError() }
                return outcome
            }
        } catch {
            return RunOutcome(failure: error)
        }
    }

    /// Writes the receipt and what follows from it, for as long as the servers may need.
    private func finish(_ record: RunRecord, _ state: JobState, _ stop: StopSignal) async throws {
        guard let running = state.running else { return }
        logger.info(
            "a run has ended",
            metadata: ["job": "\(job)", "run": "\(record.id)", "outcome": "\(record.outcome.verdict.rawValue)"])
        try await office.patiently { if try await office.runs.verdict(of: record.id) == nil { try await office.runs.record(record) } }
        CrashPoint.receiptWritten.reached()
        try await office.patiently { _ = try await end(running, state, record.outcome.verdict) }
    }

    private func end(_ running: JobState.Running, _ state: JobState, _ verdict: RunOutcome.Verdict) async throws -> JobState {
        let last = JobState.Last(run: running.run, ended: try await office.store.clock(), verdict: verdict.rawValue, isGood: verdict == .good)
        let end: RunEnd =
            switch verdict {
            case .good, .notGood: .done
            case .failed: .failed
            case .interrupted: .interrupted
            }
        let next = state.ended(job, timetable, last, as: end)
        _ = try await office.store.end(running, of: job, as: next)
        return next
    }
}
