import Reads
import Testing

@Suite struct TokenBucketTests {
    private let start = ContinuousClock.now

    /// The value in a box, so that expectations can ask it.
    private final class Box {
        var bucket: TokenBucket
        init(rate: Int, at now: ContinuousClock.Instant) { bucket = TokenBucket(rate: rate, at: now) }
        func take(_ count: Int = 1, at now: ContinuousClock.Instant) -> Duration? { bucket.take(count, at: now) }
        var left: (tokens: Int, reset: Duration) { bucket.left }
    }

    @Test func `so many at once, and so many a second`() {
        let bucket = Box(rate: 10, at: start)
        for _ in 0..<10 { #expect(bucket.take(at: start) == nil) }
        #expect(bucket.take(at: start) == .milliseconds(100))
        #expect(bucket.take(at: start + .milliseconds(50)) == .milliseconds(50))
        #expect(bucket.take(at: start + .milliseconds(100)) == nil)
        #expect(bucket.take(at: start + .milliseconds(100)) != nil)
        var admitted = 0
        for step in 0..<1000 where bucket.take(at: start + .milliseconds(100 + step * 10)) == nil { admitted += 1 }
        #expect(98...101 ~= admitted)
    }

    @Test func `a pause saves no more than one second's`() {
        let bucket = Box(rate: 10, at: start)
        _ = bucket.take(10, at: start)
        #expect(bucket.left.tokens == 0 && bucket.left.reset == .seconds(1))
        let later = start + .seconds(3600)
        for _ in 0..<10 { #expect(bucket.take(at: later) == nil) }
        #expect(bucket.take(at: later) != nil)
    }

    @Test func `many at once wait for what they take, and no longer than for a full one`() {
        let bucket = Box(rate: 10, at: start)
        #expect(bucket.take(4, at: start) == nil)
        #expect(bucket.take(7, at: start) == .milliseconds(100))
        #expect(bucket.left.tokens == 6)
        #expect(bucket.take(1000, at: start) == .milliseconds(400))
        #expect(bucket.take(25, at: start + .milliseconds(400)) == nil)
        #expect(bucket.left.tokens == 0)
        #expect(bucket.take(at: start + .milliseconds(1900)) == .milliseconds(100))
        #expect(bucket.take(at: start + .milliseconds(2000)) == nil)
        // A clock that goes back gives nothing.
        #expect(bucket.take(at: start) != nil)
    }
}
