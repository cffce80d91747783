/// Where the states of jobs are kept, for all runners.
public protocol JobStore: Sendable {
    /// The states of these jobs, and the time by the store's clock. One that is not known yet begins now.
    func states(of jobs: [String]) async throws -> (states: [String: JobState], now: Int64)

    /// Notes a run as begun. False when the job is not as `state` says, or is paused and this is no run by hand.
    func begin(_ running: JobState.Running, of job: String, from state: JobState) async throws -> Bool

    /// Notes what follows from a run's end. False when it is not under way any more.
    func end(_ running: JobState.Running, of job: String, as state: JobState) async throws -> Bool

    /// Notes what was due as missed. False when the job is not as `state` says.
    func skip(_ job: String, from state: JobState, now: Int64) async throws -> Bool

    /// Pauses a job, or lets it go on: what was due meanwhile is dealt with.
    func pause(_ job: String, _ isPaused: Bool) async throws

    /// The time by the store's clock: milliseconds since 1970.
    func clock() async throws -> Int64
}
