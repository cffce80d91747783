import Models
import Values

/// When a job is to run.
public enum Schedule: Hashable, Sendable {
    /// At every multiple of the duration since 1970, UTC: `1h` is the full hour, and all runners mean the same times.
    case every(Duration)
    case cron(Cron)

    /// Whose clocks it goes by.
    public var zone: Zone {
        switch self {
        case .every: .utc
        case .cron(let cron): cron.zone
        }
    }

    /// The next time after this one, both in milliseconds since 1970. nil where there is none.
    public func next(after time: Int64) -> Int64? {
        switch self {
        case .every(let duration):
            let step = max(1, duration.milliseconds)
            return (time.floored(by: step).quotient + 1) * step
        case .cron(let cron): return cron.next(after: time)
        }
    }
}
