import Values

/// A time as calendar and clock show it somewhere. Proleptic Gregorian calendar.
struct LocalTime {
    /// Days since 1970-01-01.
    var day: Int64
    /// Milliseconds since midnight; `time(in:)` takes any number.
    var clock: Int64

    init(day: Int64, clock: Int64 = 0) {
        self.day = day
        self.clock = clock
    }

    init(_ milliseconds: Int64, in zone: Zone) {
        let (seconds, fraction) = milliseconds.floored(by: 1000)
        let (day, second) = (seconds + zone.offset(at: seconds)).floored(by: 86_400)
        self.init(day: day, clock: second * 1000 + fraction)
    }

    /// A date whose month and day may lie outside of the year and the month.
    init(year: Int64, month: Int64, day: Int64, clock: Int64 = 0) {
        let (years, months) = (month - 1).floored(by: 12)
        self.init(day: DateTime.days(year + years, months + 1, 1) + day - 1, clock: clock)
    }

    /// The first day of the first week is the Monday before or on January 4.
    init(isoWeekYear year: Int64, week: Int64, day: Int64, clock: Int64 = 0) {
        let fourth = DateTime.days(year, 1, 4)
        self.init(day: fourth - Self.weekday(fourth - 1) + (week - 1) * 7 + day - 1, clock: clock)
    }

    /// Milliseconds since 1970, or nil beyond int64.
    func time(in zone: Zone) -> Int64? {
        let (seconds, fraction) = clock.floored(by: 1000)
        let (start, tooFar) = day.multipliedReportingOverflow(by: 86_400)
        let (local, tooLate) = start.addingReportingOverflow(seconds)
        guard !tooFar, !tooLate, local.magnitude < 1 << 60 else { return nil }
        let (whole, overflow) = zone.time(local: local).multipliedReportingOverflow(by: 1000)
        let (sum, tooMuch) = whole.addingReportingOverflow(fraction)
        return overflow || tooMuch ? nil : sum
    }

    var date: (year: Int64, month: Int64, day: Int64) { DateTime.civil(day) }
    var hour: Int64 { clock / 3_600_000 }
    var minute: Int64 { clock / 60_000 % 60 }
    var second: Int64 { clock / 1000 % 60 }
    var millisecond: Int64 { clock % 1000 }

    /// From 1 on.
    var dayOfYear: Int64 { day - DateTime.days(date.year, 1, 1) + 1 }
    /// 1 is Sunday.
    var dayOfWeek: Int64 { Self.weekday(day) + 1 }
    /// 1 is Monday.
    var isoDayOfWeek: Int64 { Self.weekday(day - 1) + 1 }
    /// Weeks begin on Sunday, and the days before the first Sunday are in week 0.
    var week: Int64 { (dayOfYear + 6 - Self.weekday(day)) / 7 }

    /// A week belongs to the year of its Thursday.
    var isoWeekYear: Int64 { DateTime.civil(thursday).year }
    var isoWeek: Int64 { (thursday - DateTime.days(isoWeekYear, 1, 1)) / 7 + 1 }

    private var thursday: Int64 { day - isoDayOfWeek + 4 }

    /// 0 for a Sunday.
    private static func weekday(_ day: Int64) -> Int64 { (day + 4).floored(by: 7).remainder }
}
