import Events
import Values

/// Dates that are so much later, how far apart two are, and where the unit of time begins that one lies in.
enum DateArithmeticOperators {
    private typealias Parameter = ExpressionOperator.Parameter

    private static let timezone = Parameter("timezone", .timezone, isOptional: true)
    private static let moved = [Parameter("startDate", .date), Parameter("unit", .unit), Parameter("amount", .integer), timezone]

    static let all: [ExpressionOperator] = [
        .init(
            "$dateAdd", moved, .named, "The date so many units later. Days and longer units keep the time of day in the time zone.",
            "{ $dateAdd: { startDate: $occurredAt, unit: month, amount: 1 } }"
        ) { (x: Operands) throws(Refusal) in try move(x, by: 1) },
        .init(
            "$dateDiff",
            [
                Parameter("startDate", .date), Parameter("endDate", .date), Parameter("unit", .unit), timezone,
                Parameter("startOfWeek", .weekday, isOptional: true),
            ], .named, "How many boundaries of the unit lie between two dates, a long.",
            "{ $dateDiff: { startDate: $$doc.createdAt, endDate: $occurredAt, unit: day } }", difference),
        .init(
            "$dateSubtract", moved, .named, "The date so many units earlier, as with `$dateAdd`.",
            "{ $dateSubtract: { startDate: $occurredAt, unit: hour, amount: 2 } }"
        ) { (x: Operands) throws(Refusal) in try move(x, by: -1) },
        .init(
            "$dateTrunc",
            [
                Parameter("date", .date), Parameter("unit", .unit), Parameter("binSize", .integer, isOptional: true), timezone,
                Parameter("startOfWeek", .weekday, isOptional: true),
            ], .named, "The begin of the unit that the date lies in, or of so many of them, counted from the year 2000.",
            "{ $dateTrunc: { date: $occurredAt, unit: day, timezone: Europe/Berlin } }", truncate),
    ]

    private static func move(_ x: Operands, by sign: Int64) throws(Refusal) -> Value? {
        if x.isNull(0..<3) { return .null }
        guard let zone = try x.zone(3) else { return .null }
        let (time, unit) = (try x.time(0), try x.unit(1))
        guard let given = x[2]?.asInteger else { throw x.refusal(x[2], not: "a whole number") }
        let (amount, overflow) = given.multipliedReportingOverflow(by: sign)
        guard !overflow, let moved = unit.move(time, by: amount, in: zone) else { throw x.overflow() }
        return .date(moved)
    }

    private static func difference(_ x: Operands) throws(Refusal) -> Value? {
        if x.isNull(0..<3) { return .null }
        let isWeek = x[2] == .string(TimeUnit.week.rawValue)
        if isWeek, x.isGiven(4), x[4].isNullish { return .null }
        guard let zone = try x.zone(3) else { return .null }
        let (start, end, unit) = (try x.time(0), try x.time(1), try x.unit(2))
        let first = isWeek ? try x.weekday(4) : 0
        guard let difference = unit.boundaries(from: start, to: end, in: zone, weeksFrom: first) else { throw x.overflow() }
        return .int64(difference)
    }

    private static func truncate(_ x: Operands) throws(Refusal) -> Value? {
        if x.isNull(0..<2) || x.isGiven(2) && x[2].isNullish { return .null }
        let isWeek = x[1] == .string(TimeUnit.week.rawValue)
        if isWeek, x.isGiven(4), x[4].isNullish { return .null }
        guard let zone = try x.zone(3) else { return .null }
        let (time, unit) = (try x.time(0), try x.unit(1))
        let first = isWeek ? try x.weekday(4) : 0
        var size: Int64 = 1
        if x.isGiven(2) {
            guard let given = x[2]?.asInteger else { throw x.refusal(x[2], not: "a whole number") }
            guard 1...100_000_000_000 ~= given else { throw x.refusal("bins of \(given) are not from 1 to 100000000000") }
            size = given
        }
        guard let start = unit.start(of: time, bins: size, in: zone, weeksFrom: first) else { throw x.overflow() }
        return .date(start)
    }
}

extension Operands {
    fileprivate func unit(_ place: Int) throws(Refusal) -> TimeUnit {
        let name = try string(place)
        guard let unit = TimeUnit(rawValue: name) else { throw refusal("there is no unit of time \"\(name)\"") }
        return unit
    }

    /// 0 for Sunday, which it is by default.
    fileprivate func weekday(_ place: Int) throws(Refusal) -> Int64 {
        guard isGiven(place) else { return 0 }
        let name = try string(place)
        let days = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"]
        guard let day = days.firstIndex(where: { [$0, String($0.prefix(3))].contains(name.lowercased()) }) else {
            throw refusal("there is no day of the week \"\(name)\"")
        }
        return Int64(day)
    }
}
