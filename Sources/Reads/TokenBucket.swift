/// How often something may be done: so many a second, and as many at once after a pause.
public struct TokenBucket: Sendable {
    public let rate: Double
    private var tokens: Double
    private var filled: ContinuousClock.Instant

    /// - Parameter rate: a second, at least 1.
    public init(rate: Int, at now: ContinuousClock.Instant) {
        self.rate = Double(rate)
        tokens = Double(rate)
        filled = now
    }

    /// nil where it may be done; how long to wait where it may not. More than a second's worth is done when the bucket is full, and
    /// what comes next waits for all of it.
    public mutating func take(_ count: Int = 1, at now: ContinuousClock.Instant) -> Duration? {
        tokens = min(rate, tokens + max(0, (now - filled) / .seconds(1)) * rate)
        filled = now
        let wanted = min(Double(count), rate)
        if tokens >= wanted {
            tokens -= Double(count)
            return nil
        }
        return .seconds((wanted - tokens) / rate)
    }

    /// What is left now, and how long until it is full again.
    public var left: (tokens: Int, reset: Duration) { (max(0, Int(tokens)), .seconds((rate - tokens) / rate)) }
}
