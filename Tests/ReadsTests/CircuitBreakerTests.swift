import Reads
import Testing

@Suite struct CircuitBreakerTests {
    private let start = ContinuousClock.now
    private static let fast = Duration.milliseconds(5)

    /// The value in a box, so that expectations can ask it.
    private final class Box {
        var breaker = CircuitBreaker()
        var state: CircuitBreaker.State { breaker.state }
        func admits(at now: ContinuousClock.Instant) -> Bool { breaker.admits(at: now) }
        func ended(well: Bool, after time: Duration, at now: ContinuousClock.Instant) { breaker.ended(well: well, after: time, at: now) }
    }

    private func opened() -> Box {
        let breaker = Box()
        for _ in 0..<5 { breaker.ended(well: false, after: Self.fast, at: start) }
        return breaker
    }

    @Test func `it opens where all of the first or half of the last were bad`() {
        var breaker = Box()
        for _ in 0..<4 { breaker.ended(well: false, after: Self.fast, at: start) }
        #expect(breaker.state == .closed)
        breaker.ended(well: false, after: Self.fast, at: start)
        #expect(breaker.state == .open(until: start + .milliseconds(500)))

        breaker = Box()
        for number in 0..<19 { breaker.ended(well: number % 2 == 0, after: Self.fast, at: start) }
        #expect(breaker.state == .closed)
        breaker.ended(well: false, after: Self.fast, at: start)
        #expect(breaker.state == .open(until: start + .milliseconds(500)))

        breaker = Box()
        for number in 0..<1000 { breaker.ended(well: number % 3 != 0, after: Self.fast, at: start) }
        #expect(breaker.state == .closed)
    }

    @Test func `what is slow is bad`() {
        var breaker = Box()
        for _ in 0..<5 { breaker.ended(well: true, after: CircuitBreaker.slow + .milliseconds(1), at: start) }
        #expect(breaker.state == .open(until: start + .milliseconds(500)))
        breaker = Box()
        for _ in 0..<100 { breaker.ended(well: true, after: CircuitBreaker.slow, at: start) }
        #expect(breaker.state == .closed)
    }

    @Test func `while it is open nothing is admitted, and then one at a time`() {
        let breaker = opened()
        #expect(!breaker.admits(at: start + .milliseconds(499)))
        // One that began before says nothing any more.
        breaker.ended(well: true, after: Self.fast, at: start)
        #expect(!breaker.admits(at: start + .milliseconds(499)))
        #expect(breaker.admits(at: start + .milliseconds(500)))
        #expect(!breaker.admits(at: start + .milliseconds(500)))
        breaker.ended(well: true, after: Self.fast, at: start + .milliseconds(510))
        #expect(breaker.state == .closed)
        #expect(breaker.admits(at: start + .milliseconds(511)) && breaker.admits(at: start + .milliseconds(511)))
    }

    @Test func `each probe that fails makes the rest longer, up to a limit, and one that succeeds ends that`() {
        let breaker = opened()
        var now = start
        var pauses: [Duration] = []
        for _ in 0..<6 {
            guard case .open(let until) = breaker.state else {
                Issue.record("it is not open")
                return
            }
            pauses.append(until - now)
            now = until
            #expect(breaker.admits(at: now))
            breaker.ended(well: false, after: Self.fast, at: now)
        }
        #expect(pauses == [0.5, 1, 2, 4, 5, 5].map { .seconds($0) })
        guard case .open(let until) = breaker.state else {
            Issue.record("it is not open")
            return
        }
        #expect(breaker.admits(at: until))
        breaker.ended(well: true, after: Self.fast, at: until)
        for _ in 0..<5 { breaker.ended(well: false, after: Self.fast, at: until) }
        #expect(breaker.state == .open(until: until + .milliseconds(500)))
    }
}
