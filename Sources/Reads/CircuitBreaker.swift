/// Keeps reads from a MongoDB that fails or is slow, as a value: while it is open, nothing is asked and nobody waits; then one
/// read at a time finds out whether it is well again.
public struct CircuitBreaker: Sendable {
    public enum State: Hashable, Sendable {
        case closed
        case open(until: ContinuousClock.Instant)
        /// One read is finding out.
        case probing
    }

    public private(set) var state = State.closed
    /// The last outcomes, true for a bad one.
    private var outcomes: [Bool] = []
    private var next = 0
    /// How often it was opened since a read was well.
    private var openings = 0

    /// A read that took longer counts as a bad one.
    public static let slow = Duration.milliseconds(400)
    /// It opens where half of so many reads were bad.
    static let window = 20
    static let firstPause = Duration.milliseconds(500)
    static let longestPause = Duration.seconds(5)

    public init() {}

    /// Whether a read may be made now. Whoever is told so must say how it ended.
    public mutating func admits(at now: ContinuousClock.Instant) -> Bool {
        switch state {
        case .closed: return true
        case .open(let until) where until <= now:
            state = .probing
            return true
        case .open, .probing: return false
        }
    }

    public mutating func ended(well isWell: Bool, after time: Duration, at now: ContinuousClock.Instant) {
        let isBad = !isWell || time > Self.slow
        if state == .probing {
            if isBad { return open(at: now) }
            (state, outcomes, next, openings) = (.closed, [], 0, 0)
            return
        }
        guard state == .closed else { return }
        if outcomes.count < Self.window { outcomes.append(isBad) } else { outcomes[next] = isBad }
        next = (next + 1) % Self.window
        let bad = outcomes.count(where: { $0 })
        // A few of the first are enough, where there was nothing else.
        if isBad, 2 * bad >= Self.window || (bad >= 5 && bad == outcomes.count) { open(at: now) }
    }

    private mutating func open(at now: ContinuousClock.Instant) {
        let pause = min(Self.longestPause, Self.firstPause * (1 << min(openings, 6)))
        (state, outcomes, next, openings) = (.open(until: now + pause), [], 0, openings + 1)
    }
}
