import Events
import Values

/// Dates as text, and text as dates.
enum DateTextOperators {
    private typealias Parameter = ExpressionOperator.Parameter

    private static let format = Parameter("format", .format, isOptional: true)
    private static let timezone = Parameter("timezone", .timezone, isOptional: true)

    static let all: [ExpressionOperator] = [
        .init(
            "$dateFromString",
            [
                Parameter("dateString", .dateText), format, timezone, Parameter("onError", .any, isOptional: true),
                Parameter("onNull", .any, isOptional: true),
            ], .named,
            "The date that a text says, by default one of ISO 8601 (mongod guesses at more); the format has mongod's parts, such as %Y. onError and onNull stand in.",
            "{ $dateFromString: { dateString: $data.day, format: \"%d.%m.%Y\", timezone: Europe/Berlin } }", body: .expressions(fromString)),
        .init(
            "$dateToString", [Parameter("date", .date), format, timezone, Parameter("onNull", .any, isOptional: true)], .named,
            "The date as text, by default %Y-%m-%dT%H:%M:%S.%LZ. onNull stands in for null and nothing.",
            "{ $dateToString: { date: $occurredAt, format: \"%Y-%m\", timezone: Europe/Berlin } }", body: .expressions(toString)),
    ]

    private static func toString(_ application: Application, _ context: Context) throws(Refusal) -> Value? {
        let x = try application.operands(first: 3, context)
        let format = x.isGiven(1) && !x[1].isNullish ? try x.format(1, forReading: false) : nil
        let zone = try x.zone(2)
        if x[0].isNullish { return try application.value(3, context, else: .null) }
        guard let zone, format != nil || !x.isGiven(1) else { return .null }
        let time = try x.time(0)
        let text = format.map { $0.write(time, in: zone) } ?? LocalTime(time, in: zone).isoText
        guard let text else { throw x.refusal("the date is outside of the years 0 to 9999") }
        return .string(text)
    }

    private static func fromString(_ application: Application, _ context: Context) throws(Refusal) -> Value? {
        let x = try application.operands(first: 3, context)
        let format = x.isGiven(1) && !x[1].isNullish ? try x.format(1, forReading: true) : nil
        let zone = try x.zone(2)
        if x[0].isNullish { return try application.value(4, context, else: .null) }
        do throws(Refusal) {
            let text = try x.string(0)
            guard let zone, format != nil || !x.isGiven(1) else { return .null }
            guard let date = format.map({ $0.read(text) }) ?? WrittenDate(text), !(date.offset != nil && x.isGiven(2)), let time = date.time(in: zone) else {
                throw x.refusal("there is no such date as \(JSON.write(.string(String(text.prefix(100)))))")
            }
            return .date(time)
        } catch {
            guard application.arguments[3] != nil else { throw error }
            return try application.value(3, context, else: .null)
        }
    }
}

extension Operands {
    fileprivate func format(_ place: Int, forReading: Bool) throws(Refusal) -> DateFormat {
        let text = try string(place)
        do throws(DateFormat.Mistake) { return try DateFormat(text, forReading: forReading) } catch { throw refusal(error.message) }
    }
}

extension Application {
    /// The values of the first arguments; what stands in for them is evaluated where it is wanted.
    fileprivate func operands(first count: Int, _ context: Context) throws(Refusal) -> Operands {
        var values: [Value?] = []
        for argument in arguments.prefix(count) { values.append(try argument?.evaluate(context)) }
        return Operands(application: self, values: values)
    }

    fileprivate func value(_ place: Int, _ context: Context, else other: Value) throws(Refusal) -> Value? {
        guard let argument = arguments[place] else { return other }
        return try argument.evaluate(context)
    }
}

extension LocalTime {
    /// As `Int64.isoText`, with the calendar and the clock of a zone.
    fileprivate var isoText: String? { time(in: .utc).flatMap(\.isoText) }
}
