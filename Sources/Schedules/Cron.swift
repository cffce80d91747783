import Models
import Values

/// Times of day by the calendar, as cron's five fields say them: minute, hour, day of the month, month, day of the week.
///
/// As cron has it, a day is meant where either of its two fields names it, if neither begins with `*`.
public struct Cron: Hashable, Sendable {
    /// As it was written.
    public let text: String
    public let zone: Zone
    private let minutes: CronField
    private let hours: CronField
    private let days: CronField
    private let months: CronField
    private let weekdays: CronField

    /// February 29 may be eight years away.
    private static let longestWait: Int64 = 366 * 9

    /// Throws for what is no cron line, and for one whose day never comes.
    public init(_ text: String, in zone: Zone) throws(CronMistake) {
        let fields = text.split(whereSeparator: { $0 == " " || $0 == "\t" })
        guard fields.count == 5 else {
            throw CronMistake(message: "\"\(text)\" has \(fields.count) fields, not the five minute, hour, day of the month, month and day of the week")
        }
        self.text = text
        self.zone = zone
        minutes = try CronField(fields[0], CronField.minute)
        hours = try CronField(fields[1], CronField.hour)
        days = try CronField(fields[2], CronField.day)
        months = try CronField(fields[3], CronField.month)
        weekdays = try CronField(fields[4], CronField.weekday)
        guard next(after: 0) != nil else { throw CronMistake(message: "\"\(text)\" names no day that ever comes") }
    }

    /// The next time after this one, both in milliseconds since 1970. nil where the calendar ends.
    ///
    /// A local time that the clocks leave out counts when they have passed over it; one that they show twice counts the
    /// first time. So each runs once.
    public func next(after time: Int64) -> Int64? {
        let (day, clock) = (time.floored(by: 1000).quotient + zone.offset(at: time.floored(by: 1000).quotient)).floored(by: 86_400)
        for date in day...(day + Self.longestWait) where names(date) {
            for hour in 0..<24 where hours.contains(hour) {
                for minute in 0..<60 where minutes.contains(minute) {
                    let second = Int64(hour * 3600 + minute * 60)
                    if date == day, second < clock - 59 { continue }
                    // What the clocks show twice may lie behind already, and what they leave out is all at the time after it.
                    let found = zone.first(local: date * 86_400 + second) * 1000
                    if found > time { return found }
                }
            }
        }
        return nil
    }

    private func names(_ date: Int64) -> Bool {
        let civil = DateTime.civil(date)
        guard months.contains(Int(civil.month)) else { return false }
        let weekday = Int((date + 4).floored(by: 7).remainder)
        let isDay = days.contains(Int(civil.day))
        let isWeekday = weekdays.contains(weekday) || (weekday == 0 && weekdays.contains(7))
        return days.isAny || weekdays.isAny ? isDay && isWeekday : isDay || isWeekday
    }
}

extension Zone {
    /// The first time, in seconds since 1970, at which the clocks show so many seconds since 1970 or have passed over them.
    func first(local: Int64) -> Int64 {
        // The clocks change at most once within two days.
        let (before, after) = (offset(at: local - 86_400), offset(at: local + 86_400))
        if offset(at: local - before) == before { return local - before }
        if offset(at: local - after) == after { return local - after }
        // Left out: it counts when they go forward.
        var (low, high) = (local - after, local - before)
        while low < high {
            let middle = low + (high - low) / 2
            if offset(at: middle) == after { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
