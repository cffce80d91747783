import Values

/// What the text of a date says: parts that have yet to make a time.
struct WrittenDate {
    var year, month, day: Int64?
    var isoWeekYear, isoWeek, isoDayOfWeek: Int64?
    var hour, minute, second, millisecond: Int64?
    /// Seconds east of Greenwich.
    var offset: Int64?

    /// Milliseconds since 1970, or nil when parts are missing or there is no such date.
    func time(in zone: Zone) -> Int64? {
        let (hour, minute, second) = (hour ?? 0, minute ?? 0, second ?? 0)
        guard hour < 24, minute < 60, second < 60 else { return nil }
        guard var local = date else { return nil }
        local.clock = ((hour * 60 + minute) * 60 + second) * 1000 + (millisecond ?? 0)
        guard let offset else { return local.time(in: zone) }
        return local.time(in: .utc).map { $0 - offset * 1000 }
    }

    private var date: LocalTime? {
        if let year, let month, let day {
            guard 1...12 ~= month, 1...DateTime.daysIn(month: month, year: year) ~= day else { return nil }
            return LocalTime(year: year, month: month, day: day)
        }
        guard let isoWeekYear, let isoWeek else { return nil }
        let weekday = isoDayOfWeek ?? 1
        // timelib takes 0 for the Sunday before.
        guard 1...53 ~= isoWeek, 0...7 ~= weekday else { return nil }
        return LocalTime(isoWeekYear: isoWeekYear, week: isoWeek, day: weekday)
    }

    /// A text by ISO 8601: `2026-11-20T10:00:00.000Z`, of which the time, the zone, seconds and their fraction may be left
    /// out, and a blank may stand for the T. Also `2026-11`, `20261120`, `2026/11/20`, `20.11.2026` and `2026-W47-5`. mongod
    /// guesses at more than that.
    init?(_ text: String) {
        self.init()
        var rest = DigitReader(text)
        rest.skipSpaces()
        guard readDate(&rest) else { return nil }
        if rest.takeSeparator() { guard readClock(&rest) else { return nil } }
        rest.skipSpaces()
        if !rest.isAtEnd {
            offset = rest.zone()
            guard offset != nil else { return nil }
        }
        rest.skipSpaces()
        guard rest.isAtEnd else { return nil }
    }

    init() {}

    private mutating func readDate(_ rest: inout DigitReader) -> Bool {
        guard let year = rest.number(4...4) else { return readDayFirst(&rest) }
        self.year = year
        if rest.take("/") {
            month = rest.number(1...2)
            guard month != nil, rest.take("/") else { return false }
            day = rest.number(1...2)
            return day != nil
        }
        let isDashed = rest.take("-")
        if rest.take("W") {
            isoWeekYear = year
            self.year = nil
            isoWeek = rest.number(2...2)
            if isDashed ? rest.take("-") : rest.isAtDigit {
                isoDayOfWeek = rest.number(1...1)
                guard isoDayOfWeek != nil else { return false }
            }
            return isoWeek != nil
        }
        month = rest.number(isDashed ? 1...2 : 2...2)
        guard month != nil else { return false }
        guard isDashed else {
            day = rest.number(2...2)
            return day != nil
        }
        day = rest.take("-") ? rest.number(1...2) : 1
        return day != nil
    }

    private mutating func readDayFirst(_ rest: inout DigitReader) -> Bool {
        day = rest.number(1...2)
        guard day != nil, rest.take(".") else { return false }
        month = rest.number(1...2)
        guard month != nil, rest.take(".") else { return false }
        year = rest.number(4...4)
        return year != nil
    }

    private mutating func readClock(_ rest: inout DigitReader) -> Bool {
        hour = rest.number(1...2)
        guard hour != nil, rest.take(":") else { return false }
        minute = rest.number(1...2)
        guard minute != nil else { return false }
        guard rest.take(":") else { return true }
        second = rest.number(1...2)
        guard second != nil else { return false }
        if rest.take(".") { millisecond = rest.fraction(digits: 24) }
        return true
    }
}

/// Reads numbers off the text of a date.
struct DigitReader {
    private let bytes: [UInt8]
    private var at = 0

    init(_ text: String) { bytes = Array(text.utf8) }

    var isAtEnd: Bool { at == bytes.count }
    var isAtDigit: Bool { at < bytes.count && 48...57 ~= bytes[at] }

    mutating func take(_ byte: UInt8) -> Bool {
        guard at < bytes.count, bytes[at] == byte else { return false }
        at += 1
        return true
    }

    mutating func take(_ letter: Unicode.Scalar) -> Bool { take(UInt8(ascii: letter)) }

    mutating func skipSpaces() {
        while take(" ") || take("\t") {}
    }

    /// What stands between date and time, if a time follows.
    mutating func takeSeparator() -> Bool {
        let start = at
        if !take("T"), !take("t") { skipSpaces() }
        if at > start, isAtDigit { return true }
        at = start
        return false
    }

    /// A number of so many digits; when there are fewer, nothing is taken.
    mutating func number(_ digits: ClosedRange<Int>) -> Int64? {
        let start = at
        var number: Int64 = 0
        while isAtDigit, at - start < digits.upperBound {
            number = number * 10 + Int64(bytes[at] - 48)
            at += 1
        }
        if at - start >= digits.lowerBound { return number }
        at = start
        return nil
    }

    /// Digits after a point as milliseconds; what is finer is cut off.
    mutating func fraction(digits: Int) -> Int64? {
        let start = at
        var number: Int64 = 0
        while isAtDigit, at - start < digits {
            if at - start < 3 { number = number * 10 + Int64(bytes[at] - 48) }
            at += 1
        }
        for _ in min(at - start, 3)..<3 { number *= 10 }
        return at > start ? number : nil
    }

    /// 1 or -1.
    mutating func sign() -> Int64? { take("+") ? 1 : (take("-") ? -1 : nil) }

    /// Seconds of `Z`, `UTC`, `GMT`, `+hh`, `+hhmm` or `+hh:mm`.
    mutating func zone() -> Int64? {
        for name in ["UTC", "GMT", "Z"] where bytes[at...].count >= name.utf8.count {
            if zip(bytes[at...], name.utf8).allSatisfy({ $0 & 0xDF == $1 }) {
                at += name.utf8.count
                return 0
            }
        }
        guard let sign = sign(), let hours = number(2...2), hours < 24 else { return nil }
        let hasColon = take(":")
        guard isAtDigit || hasColon else { return sign * hours * 3600 }
        guard let minutes = number(2...2), minutes < 60 else { return nil }
        return sign * (hours * 3600 + minutes * 60)
    }
}
