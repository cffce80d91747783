/// RFC 3339 date-times as milliseconds since 1970-01-01T00:00:00Z. Proleptic Gregorian calendar, years 0000 to 9999.
public enum DateTime {
    /// The instant, or nil when the text is not an RFC 3339 date-time. Fractions beyond milliseconds are cut off.
    public static func parse(_ text: UnsafeRawBufferPointer) -> Int64? {
        // Nearly every event has one, so the places are read, and not a reader moved along.
        func digit(_ place: Int) -> Int64? { 48...57 ~= text[place] ? Int64(text[place] - 48) : nil }
        func pair(_ place: Int) -> Int64? {
            guard let tens = digit(place), let ones = digit(place + 1) else { return nil }
            return tens * 10 + ones
        }
        let (colon, dash, dot, space) = (UInt8(ascii: ":"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: " "))
        let lowercase: UInt8 = 0x20

        guard text.count >= 20, text[4] == dash, text[7] == dash, text[10] | lowercase == UInt8(ascii: "t") || text[10] == space, text[13] == colon,
            text[16] == colon, let century = pair(0), let ofCentury = pair(2), let month = pair(5), let day = pair(8), let hour = pair(11),
            let minute = pair(14), let second = pair(17)
        else { return nil }
        let year = century * 100 + ofCentury
        guard 1...12 ~= month, 1...daysIn(month: month, year: year) ~= day, hour < 24, minute < 60, second <= 60 else { return nil }
        var at = 19
        var milliseconds: Int64 = 0
        if text[at] == dot {
            at += 1
            let start = at
            var scale: Int64 = 100
            while at < text.count, let digit = digit(at) {
                milliseconds += digit * scale
                scale /= 10
                at += 1
            }
            guard at > start, at < text.count else { return nil }
        }
        var offset: Int64 = 0
        if text[at] | lowercase == UInt8(ascii: "z") {
            at += 1
        } else {
            guard text.count == at + 6, text[at] == UInt8(ascii: "+") || text[at] == dash, text[at + 3] == colon, let hours = pair(at + 1),
                let minutes = pair(at + 4), hours < 24, minutes < 60
            else { return nil }
            offset = (hours * 60 + minutes) * (text[at] == dash ? -60 : 60)
            at += 6
        }
        guard at == text.count else { return nil }
        let seconds = days(year, month, day) * 86400 + hour * 3600 + minute * 60 + second - offset
        return seconds * 1000 + milliseconds
    }

    public static func parse(_ text: String) -> Int64? {
        var text = text
        return text.withUTF8 { parse(UnsafeRawBufferPointer($0)) }
    }

    /// `2026-11-20T10:00:00.000Z`; the bare number of milliseconds for an instant outside the years 0000 to 9999.
    public static func format(milliseconds: Int64) -> String {
        let (days, rest) = milliseconds.floored(by: 86_400_000)
        let (year, month, day) = civil(days)
        guard 0...9999 ~= year else { return String(milliseconds) }
        func pad(_ number: Int64, _ width: Int) -> String {
            let text = String(number)
            return String(repeating: "0", count: max(0, width - text.count)) + text
        }
        return "\(pad(year, 4))-\(pad(month, 2))-\(pad(day, 2))T\(pad(rest / 3_600_000, 2)):\(pad(rest / 60_000 % 60, 2)):"
            + "\(pad(rest / 1000 % 60, 2)).\(pad(rest % 1000, 3))Z"
    }

    /// Days of a month, 1 to 12.
    public static func daysIn(month: Int64, year: Int64) -> Int64 {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    // Days from and to the civil calendar in eras of 400 years that start in March, after Howard Hinnant's
    // "chrono-Compatible Low-Level Date Algorithms".

    /// Days since 1970-01-01; the month is 1 to 12.
    public static func days(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let (era, yearOfEra) = (month <= 2 ? year - 1 : year).floored(by: 400)
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    /// The date so many days after 1970-01-01.
    public static func civil(_ days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let (era, dayOfEra) = (days + 719_468).floored(by: 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * dayOfYear + 2) / 153
        let month = shifted < 10 ? shifted + 3 : shifted - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shifted + 2) / 5 + 1)
    }
}

extension Int64 {
    /// Quotient and remainder of a division that rounds down; the divisor is positive.
    public func floored(by divisor: Int64) -> (quotient: Int64, remainder: Int64) {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }
}
