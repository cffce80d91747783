import Synchronization
import Values

/// Whether more is asked than is answered: while requests are refused, those that are not can wait a moment for each other, so
/// that what a storm costs MongoDB and the machine is less, and not more, than what calm costs.
public final class Storm: Sendable {
    /// Milliseconds since `start` at the last refusal; before the first, long ago.
    private let last = Atomic(Int64.min / 2)
    private let start = ContinuousClock.now

    /// It is over when nothing was refused for so long.
    private static let calm: Int64 = 250
    /// How far reads are apart then.
    static let pace = Duration.milliseconds(5)

    public init() {}

    /// A request was refused for coming too soon.
    public func refused() { last.store(now, ordering: .relaxed) }

    var isOn: Bool { now - last.load(ordering: .relaxed) < Self.calm }

    private var now: Int64 { (ContinuousClock.now - start).milliseconds }
}
