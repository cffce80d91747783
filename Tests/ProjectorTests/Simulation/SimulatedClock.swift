/// One worker's clock: time passes where the schedule says so.
struct SimulatedClock: Clock {
    struct Instant: InstantProtocol {
        var time: Duration

        func advanced(by duration: Duration) -> Instant { Instant(time: time + duration) }
        func duration(to other: Instant) -> Duration { other.time - time }
        static func < (left: Instant, right: Instant) -> Bool { left.time < right.time }
    }

    let schedule: Schedule
    let worker: Int

    var now: Instant { Instant(time: schedule.now) }
    var minimumResolution: Duration { .nanoseconds(1) }

    func sleep(until deadline: Instant, tolerance: Duration?) async throws { try await schedule.sleep(worker, until: deadline.time) }
}
