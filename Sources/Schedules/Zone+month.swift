import Models
import Values

extension Zone {
    /// When the month began that a time lies in, by the clocks of the zone; both in milliseconds since 1970.
    public func monthStart(at time: Int64) -> Int64 {
        let second = time.floored(by: 1000).quotient
        let date = DateTime.civil((second + offset(at: second)).floored(by: 86_400).quotient)
        return first(local: DateTime.days(date.year, date.month, 1) * 86_400) * 1000
    }
}
