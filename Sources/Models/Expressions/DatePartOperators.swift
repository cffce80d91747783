import Events
import Values

/// What calendar and clock show at a time, and the time at which they do.
enum DatePartOperators {
    private typealias Parameter = ExpressionOperator.Parameter

    private static let timezone = Parameter("timezone", .timezone, isOptional: true)
    private static let dated = [Parameter("date", .date), timezone]

    static let all: [ExpressionOperator] =
        [
            row("$dayOfMonth", "The day of the month, from 1.") { Value(integer: $0.date.day) },
            row("$dayOfWeek", "The day of the week, 1 for Sunday.") { Value(integer: $0.dayOfWeek) },
            row("$dayOfYear", "The day of the year, from 1.") { Value(integer: $0.dayOfYear) },
            row("$hour", "The hour, 0 to 23.") { Value(integer: $0.hour) },
            row("$isoDayOfWeek", "The day of the week, 1 for Monday.") { Value(integer: $0.isoDayOfWeek) },
            row("$isoWeek", "The week of the year by ISO 8601, from 1.") { Value(integer: $0.isoWeek) },
            row("$isoWeekYear", "The year that the week of ISO 8601 belongs to, a long.") { .int64($0.isoWeekYear) },
            row("$millisecond", "The milliseconds, 0 to 999.") { Value(integer: $0.millisecond) },
            row("$minute", "The minute, 0 to 59.") { Value(integer: $0.minute) }, row("$month", "The month, from 1.") { Value(integer: $0.date.month) },
            row("$second", "The second, 0 to 59.") { Value(integer: $0.second) },
            row("$week", "The week of the year, in which Sunday is the first day; 0 before the first Sunday.") { Value(integer: $0.week) },
            row("$year", "The year.") { Value(integer: $0.date.year) },
        ] + [
            .init(
                "$dateFromParts",
                ["year", "month", "day", "isoWeekYear", "isoWeek", "isoDayOfWeek", "hour", "minute", "second", "millisecond"]
                    .map { Parameter($0, .integer, isOptional: true) } + [timezone],
                .named, "The date with these parts; what is left out is the first one, and what is beyond a month or an hour goes on into the next.",
                "{ $dateFromParts: { year: $data.year, month: $data.month, timezone: Europe/Berlin } }", fromParts),
            .init(
                "$dateToParts", [Parameter("date", .date), timezone, Parameter("iso8601", .condition, isOptional: true)], .named,
                "An object with year, month, day, hour, minute, second and millisecond, or with the week of ISO 8601.",
                "{ $dateToParts: { date: $occurredAt } }",
                toParts),
        ]

    private static func row(_ name: String, _ meaning: String, _ part: @escaping @Sendable (LocalTime) -> Value) -> ExpressionOperator {
        .init(name, dated, .listOrNamed(count: 1), meaning, "{ \(name): { date: $occurredAt, timezone: Europe/Berlin } }") { (x: Operands) throws(Refusal) in
            if x[0].isNullish { return .null }
            let time = try x.time(0)
            return try x.zone(1).map { part(LocalTime(time, in: $0)) } ?? .null
        }
    }

    private static func toParts(_ x: Operands) throws(Refusal) -> Value? {
        guard let zone = try x.zone(1) else { return .null }
        var isISO = false
        if x.isGiven(2) {
            if x[2].isNullish { return .null }
            guard case .bool(let flag)? = x[2] else { throw x.refusal(x[2], not: "true or false") }
            isISO = flag
        }
        if x[0].isNullish { return .null }
        let local = LocalTime(try x.time(0), in: zone)
        var parts: [(String, Int64)] = [("year", local.date.year), ("month", local.date.month), ("day", local.date.day)]
        if isISO { parts = [("isoWeekYear", local.isoWeekYear), ("isoWeek", local.isoWeek), ("isoDayOfWeek", local.isoDayOfWeek)] }
        parts += [("hour", local.hour), ("minute", local.minute), ("second", local.second), ("millisecond", local.millisecond)]
        return .document(Document(parts.map { Document.Field($0.0, Value(integer: $0.1)) }))
    }

    private static func fromParts(_ x: Operands) throws(Refusal) -> Value? {
        let isISO = x.isGiven(3)
        let small: ClosedRange<Int64> = -32768...32767
        // In mongod's order, by which null in one of them comes before a mistake in the next.
        guard let clock = try parts(6..<10, x, [0, 0, 0, 0], [small, small, .min ... .max, .min ... .max]), let zone = try x.zone(10),
            let date = try parts(isISO ? 3..<6 : 0..<3, x, [1970, 1, 1], [.min ... .max, small, small])
        else { return .null }
        guard 1...9999 ~= date[0] else { throw x.refusal("the year \(date[0]) is not from 1 to 9999") }
        let (seconds, isFar) = clock[2].multipliedReportingOverflow(by: 1000)
        let (fine, isFarther) = seconds.addingReportingOverflow(clock[3])
        let (total, isTooFar) = fine.addingReportingOverflow((clock[0] * 60 + clock[1]) * 60_000)
        guard !isFar, !isFarther, !isTooFar else { throw x.overflow() }
        let local =
            isISO
            ? LocalTime(isoWeekYear: date[0], week: date[1], day: date[2], clock: total)
            : LocalTime(year: date[0], month: date[1], day: date[2], clock: total)
        guard let time = local.time(in: zone) else { throw x.overflow() }
        return .date(time)
    }

    /// nil when one of them is null or missing, and none before it is wrong.
    private static func parts(_ places: Range<Int>, _ x: Operands, _ defaults: [Int64], _ bounds: [ClosedRange<Int64>]) throws(Refusal) -> [Int64]? {
        var parts: [Int64] = []
        for place in places {
            guard x.isGiven(place) else {
                parts.append(defaults[place - places.lowerBound])
                continue
            }
            if x[place].isNullish { return nil }
            guard let part = x[place]?.asInteger else { throw x.refusal(x[place], not: "a whole number") }
            guard bounds[place - places.lowerBound] ~= part else { throw x.refusal("\(part) is not from -32768 to 32767") }
            parts.append(part)
        }
        return parts
    }
}

extension Operands {
    /// The milliseconds of a date, or of what has one in it.
    func time(_ place: Int) throws(Refusal) -> Int64 {
        guard let time = self[place]?.asTime else { throw refusal(self[place], not: "a date") }
        return time
    }

    /// UTC when the definition says nothing, and nil when what it says is null or missing.
    func zone(_ place: Int) throws(Refusal) -> Zone? {
        guard isGiven(place) else { return .utc }
        if self[place].isNullish { return nil }
        let name = try string(place)
        guard let zone = Zone(name) else { throw refusal("there is no time zone \"\(name)\"") }
        return zone
    }
}

extension Value {
    /// A date's milliseconds; an ObjectId and a timestamp begin with the seconds at which they were made.
    var asTime: Int64? {
        switch self {
        case .date(let time): time
        case .other(let other) where other.type == BSONType.objectId: other.bytes.prefix(4).reduce(0) { $0 << 8 | Int64($1) } * 1000
        case .other(let other) where other.type == BSONType.timestamp: other.bytes.suffix(4).reversed().reduce(0) { $0 << 8 | Int64($1) } * 1000
        default: nil
        }
    }
}
