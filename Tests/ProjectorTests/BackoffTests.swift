import Testing

@testable import Projector

@Suite struct BackoffTests {
    @Test func `waits stay below a limit that doubles up to the most`() {
        for _ in 0..<200 {
            var backoff = Backoff(first: .milliseconds(100), most: .milliseconds(450))
            for limit in [100, 200, 400, 450, 450, 450] {
                let wait = backoff.next()
                #expect(wait >= .zero && wait <= .milliseconds(limit))
            }
            backoff.reset()
            #expect(backoff.next() <= .milliseconds(100))
        }
    }

    /// Workers that failed together must not come back together.
    @Test func `the jitter is full`() {
        let waits = (0..<400).map { _ in
            var backoff = Backoff(first: .seconds(1), most: .seconds(1))
            return backoff.next() / .seconds(1)
        }
        for tenth in 0..<10 { #expect(waits.contains { Int($0 * 10) == tenth }) }
    }
}
