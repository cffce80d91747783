/// Capped exponential backoff with full jitter: each wait is a random part of a limit that doubles.
public struct Backoff: Sendable {
    private let first: Duration
    private let most: Duration
    private var limit: Duration

    public init(first: Duration, most: Duration) {
        self.first = first
        self.most = most
        limit = first
    }

    /// The next wait.
    public mutating func next() -> Duration {
        var random = SystemRandomNumberGenerator()
        return next(using: &random)
    }

    /// The next wait, drawn from `random`.
    public mutating func next(using random: inout some RandomNumberGenerator) -> Duration {
        let wait = limit * Double.random(in: 0...1, using: &random)
        limit = min(limit * 2, most)
        return wait
    }

    /// Starts again, after a success.
    public mutating func reset() { limit = first }
}
