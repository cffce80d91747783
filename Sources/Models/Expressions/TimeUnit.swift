import Values

/// A unit of time by MongoDB's name for it.
enum TimeUnit: String, CaseIterable {
    case year, quarter, month, week, day, hour, minute, second, millisecond

    /// Months or milliseconds of one, days counting as 24 hours.
    private enum Length {
        case months(Int64)
        case milliseconds(Int64)
    }

    private var length: Length {
        switch self {
        case .year: .months(12)
        case .quarter: .months(3)
        case .month: .months(1)
        case .week: .milliseconds(7 * 86_400_000)
        case .day: .milliseconds(86_400_000)
        case .hour: .milliseconds(3_600_000)
        case .minute: .milliseconds(60_000)
        case .second: .milliseconds(1000)
        case .millisecond: .milliseconds(1)
        }
    }

    /// Whether it follows the clocks of a zone, and not the time that passes.
    private var isLocal: Bool { [.year, .quarter, .month, .week, .day].contains(self) }

    /// The time so many units later, or nil beyond int64.
    func move(_ time: Int64, by amount: Int64, in zone: Zone) -> Int64? {
        switch length {
        case .months(let count):
            let (months, overflow) = amount.multipliedReportingOverflow(by: count)
            // More than there are in int64 milliseconds.
            guard !overflow, months.magnitude < 10_000_000_000 else { return nil }
            var local = LocalTime(time, in: zone)
            let date = local.date
            let (years, month) = (date.month - 1 + months).floored(by: 12)
            // The 31st of a shorter month is its last day.
            let day = min(date.day, DateTime.daysIn(month: month + 1, year: date.year + years))
            local.day = DateTime.days(date.year + years, month + 1, day)
            return local.time(in: zone)
        case .milliseconds(let count):
            let (milliseconds, overflow) = amount.multipliedReportingOverflow(by: count)
            guard !overflow else { return nil }
            guard isLocal else {
                let (sum, isTooFar) = time.addingReportingOverflow(milliseconds)
                return isTooFar ? nil : sum
            }
            var local = LocalTime(time, in: zone)
            local.day += milliseconds / 86_400_000
            return local.time(in: zone)
        }
    }

    /// How many boundaries of the unit lie between two times, or nil beyond int64.
    func boundaries(from start: Int64, to end: Int64, in zone: Zone, weeksFrom first: Int64) -> Int64? {
        if self == .hour {
            // Hours are those of the zone's clocks, which need not be whole ones of UTC, but none is lost or gained when they change.
            let offsets = (zone.offset(at: start.floored(by: 1000).quotient), zone.offset(at: end.floored(by: 1000).quotient))
            let hours = (Self.hour(of: start, offsets.0), Self.hour(of: end, offsets.1))
            return hours.1 - hours.0 - (offsets.1 - offsets.0) / 3600
        }
        let (difference, overflow) = number(of: end, in: zone, weeksFrom: first).subtractingReportingOverflow(number(of: start, in: zone, weeksFrom: first))
        return overflow ? nil : difference
    }

    private static func hour(of time: Int64, _ offset: Int64) -> Int64 { (time.floored(by: 1000).quotient + offset).floored(by: 3600).quotient }

    /// Which of the units since 1970 a time lies in. Weeks begin so many days after Sunday.
    private func number(of time: Int64, in zone: Zone, weeksFrom first: Int64) -> Int64 {
        let local = LocalTime(time, in: zone)
        switch self {
        case .year: return local.date.year
        case .quarter: return local.date.year * 4 + (local.date.month - 1) / 3
        case .month: return local.date.year * 12 + local.date.month - 1
        // 1970 began on a Thursday.
        case .week: return (local.day + 4 - first).floored(by: 7).quotient
        case .day: return local.day
        case .hour, .minute, .second, .millisecond:
            guard case .milliseconds(let count) = length else { return time }
            return time.floored(by: count).quotient
        }
    }

    /// The begin of the bin of so many units, or nil beyond int64. Bins are counted from 2000-01-01 in the zone, weeks from
    /// the first one that begins in 2000.
    func start(of time: Int64, bins size: Int64, in zone: Zone, weeksFrom first: Int64) -> Int64? {
        var reference = LocalTime(year: 2000, month: 1, day: 1)
        // A Saturday.
        if self == .week { reference.day += (first + 1) % 7 }
        guard let begin = reference.time(in: zone) else { return nil }
        guard isLocal else {
            guard case .milliseconds(let count) = length else { return nil }
            let (bin, isTooLong) = count.multipliedReportingOverflow(by: size)
            let (distance, overflow) = time.subtractingReportingOverflow(begin)
            guard !isTooLong, !overflow else { return nil }
            let (start, isTooFar) = time.subtractingReportingOverflow(distance.floored(by: bin).remainder)
            return isTooFar ? nil : start
        }
        let distance = number(of: time, in: zone, weeksFrom: first) - number(of: begin, in: zone, weeksFrom: first)
        return move(begin, by: distance - distance.floored(by: size).remainder, in: zone)
    }
}
