import Events

/// How long one exchange with the server may take: a fixed time, and more for what arrives or leaves at a fair rate.
/// A server that drips one byte at a time cannot hold us, and a huge element over a slow line still gets through.
struct Deadline {
    /// Bytes that buy another second.
    static let slowestRate = ByteCount.mebibytes(1)

    private let start = ContinuousClock.now
    private let timeout: Duration
    private var moved = 0

    init(_ timeout: Duration) { self.timeout = timeout }

    mutating func moved(_ bytes: Int) { moved += bytes }

    /// Zero when the time is over.
    var remaining: Duration {
        let allowed = timeout + .milliseconds(moved / (Self.slowestRate.bytes / 1000))
        return max(.zero, start + allowed - ContinuousClock.now)
    }

    /// For `poll`, rounded up, so that a wait that ends is over.
    var remainingMilliseconds: Int32 {
        let (seconds, attoseconds) = remaining.components
        guard seconds < 3600 else { return 3_600_000 }
        return Int32(seconds * 1000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
    }
}
