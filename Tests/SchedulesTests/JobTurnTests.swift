import Testing

@testable import Schedules

@Suite struct JobTurnTests {
    private static let hour: Int64 = 3_600_000

    private func next(_ state: JobState, at now: Int64, _ change: (inout Timetable) -> Void = { _ in }) -> JobTurn {
        var timetable = Timetable(.every(.seconds(3600)))
        change(&timetable)
        return JobTurn.next(of: "job", timetable, state, now: now)
    }

    private static func last(_ ended: Int64) -> JobState.Last { .init(run: "r", ended: ended, verdict: "good", isGood: true) }

    @Test func `a job runs when it is due, once`() {
        var state = JobState(handled: 5)
        #expect(next(state, at: 10) == .wait(until: Self.hour))
        #expect(next(state, at: Self.hour) == .run(attempt: 1))
        state.handled = Self.hour
        #expect(next(state, at: Self.hour + 1) == .wait(until: 2 * Self.hour))
    }

    @Test func `a paused job waits, and one that is under way is watched`() {
        var state = JobState(handled: 0)
        state.isPaused = true
        #expect(next(state, at: Self.hour) == .wait(until: nil))
        state.running = .init(run: "r", owner: "o", started: 1, attempt: 1)
        #expect(next(state, at: Self.hour) == .watch)
    }

    @Test func `what was missed is made up for once, or not at all`() {
        let state = JobState(handled: 0)
        let late = 5 * Self.hour + 1
        #expect(next(state, at: late) == .run(attempt: 1))
        #expect(next(state, at: late) { $0.missed = .skip } == .skip)
        // A runner that comes a minute late has missed nothing.
        #expect(next(state, at: Self.hour + 60_000) { $0.missed = .skip } == .run(attempt: 1))
        #expect(next(state, at: Self.hour + 60_001) { $0.missed = .skip } == .skip)
        // Nor has one that was busy with the run before.
        var queued = state
        queued.last = Self.last(late)
        #expect(next(queued, at: late + 60_000) { $0.missed = .skip } == .run(attempt: 1))
    }

    @Test func `a failed run is tried again when its time has come, unless the next one is due before`() {
        var state = JobState(handled: 0)
        state.retry = .init(at: 100, attempt: 2)
        #expect(next(state, at: 99) == .wait(until: 100))
        #expect(next(state, at: 100) == .run(attempt: 2))
        state.retry = .init(at: 2 * Self.hour, attempt: 3)
        #expect(next(state, at: 99) == .wait(until: Self.hour))
        #expect(next(state, at: Self.hour) == .run(attempt: 1))
    }

    // MARK: How a run ends

    private func ended(
        _ end: RunEnd, attempt: Int = 1, began: Int64 = 0, at now: Int64 = 100, _ change: (inout Timetable) -> Void = { _ in }
    ) -> JobState {
        var timetable = Timetable(.every(.seconds(3600)))
        change(&timetable)
        var state = JobState(handled: began)
        state.running = .init(run: "r", owner: "o", started: began, attempt: attempt)
        state.retry = .init(at: 1, attempt: 1)
        return state.ended("job", timetable, Self.last(now), as: end)
    }

    @Test func `retries come later and later, and end`() {
        for (attempt, pause) in [(1, Int64(2000)), (2, 8000), (3, 32_000), (6, 600_000), (10, 600_000)] {
            #expect(ended(.failed, attempt: attempt) { $0.retries = 10 }.retry == .init(at: 100 + pause, attempt: attempt + 1))
        }
        #expect(ended(.failed).retry == nil)
        #expect(ended(.failed, attempt: 3) { $0.retries = 2 }.retry == nil)
        #expect(ended(.done) { $0.retries = 2 }.retry == nil)
        // By hand.
        #expect(ended(.failed, attempt: 0) { $0.retries = 2 }.retry == nil)
    }

    @Test func `a run that a stop of its runner ended is another runner's`() {
        #expect(ended(.interrupted).retry == .init(at: 100, attempt: 1))
        #expect(ended(.interrupted) { $0.missed = .skip }.retry == nil)
        #expect(ended(.interrupted, attempt: 0).retry == nil)
    }

    @Test func `what came due during a run is skipped, or waits for its end`() {
        let now = 2 * Self.hour + 1
        let skipped = ended(.done, began: 1, at: now)
        #expect(skipped.handled == now && skipped.skipped.overlap == 1 && skipped.running == nil)
        let queued = ended(.done, began: 1, at: now) { $0.overlap = .queue }
        #expect(queued.handled == 1 && queued.skipped.overlap == 0)
        #expect(next(queued, at: now + 1) == .run(attempt: 1))
        let quick = ended(.done, began: 1, at: 2)
        #expect(quick.handled == 1 && quick.skipped.overlap == 0)
    }
}
