import Events
import Values

/// Types and conversions between them.
enum TypeOperators {
    private typealias Parameter = ExpressionOperator.Parameter

    private static let value = [Parameter("value", .any)]

    static let all: [ExpressionOperator] = [
        .init("$binarySize", [Parameter("value", .string)], .list(least: 1), "The bytes of a string or of binary data.", "{ $binarySize: $data.name }") {
            (x: Operands) throws(Refusal) in
            if x[0].isNullish { return .null }
            if let bytes = x[0]?.asBinary { return Value(integer: Int64(bytes.count)) }
            return Value(integer: Int64(try x.string(0).utf8.count))
        },
        .init("$bsonSize", [Parameter("object", .object)], .list(least: 1), "The bytes of an object as BSON.", "{ $bsonSize: $data }") {
            (x: Operands) throws(Refusal) in x[0].isNullish ? .null : Value(integer: Int64(BSON.size(of: try x.document(0))))
        },
        .init(
            "$convert",
            [
                Parameter("input", .any), Parameter("to", .type), Parameter("onError", .any, isOptional: true), Parameter("onNull", .any, isOptional: true),
            ], .named, "The value as another type: int, long, double, decimal, bool, string, date or objectId; onError and onNull stand in where it cannot be.",
            "{ $convert: { input: $data.count, to: int, onError: 0 } }", body: .expressions(convert)),
        .init("$isNumber", value, .list(least: 1), "Whether it is a number.", "{ $isNumber: $data.amount }") { (x: Operands) throws(Refusal) in
            .bool(x[0]?.asNumber != nil)
        },
        row("$toBool", .bool, "False for false and zeros, true for everything else."),
        row("$toDate", .date, "The date so many milliseconds since 1970, that a text of ISO 8601 says, or that an ObjectId was made at."),
        row("$toDecimal", .decimal, "The number as a decimal of up to 34 digits; of a double its first 15."),
        row("$toDouble", .double, "The number as a double."), row("$toInt", .int, "The number as an int of 32 bits, without its fraction."),
        row("$toLong", .long, "The number as a long of 64 bits, without its fraction; of a date its milliseconds."),
        row("$toObjectId", .objectId, "The ObjectId of 24 hexadecimal digits.", kind: .identifier),
        row("$toString", .string, "The value as text."),
        .init("$type", value, .list(least: 1), "The name of its type, or \"missing\".", "{ $type: $data.amount }") { (x: Operands) throws(Refusal) in
            .string(x[0].typeName)
        },
    ]

    private static func row(_ name: String, _ target: Conversion, _ meaning: String, kind: ExpressionOperator.Kind = .any) -> ExpressionOperator {
        .init(name, [Parameter("value", kind)], .list(least: 1), meaning, "{ \(name): $data.value }") { (x: Operands) throws(Refusal) in
            guard let value = x[0], !x[0].isNullish else { return .null }
            return try target.convert(value, name)
        }
    }

    private static func convert(_ application: Application, _ context: Context) throws(Refusal) -> Value? {
        let arguments = application.arguments
        let input = try arguments[0]?.evaluate(context)
        let to = try arguments[1]?.evaluate(context)
        if let to, !Optional(to).isNullish, !Conversion.isType(to) { throw Refusal(.badOperand, "$convert: there is no such type to convert to") }
        if input.isNullish { return try arguments[3].map { (argument) throws(Refusal) in try argument.evaluate(context) } ?? .null }
        guard let to, let input, !Optional(to).isNullish else { return .null }
        do throws(Refusal) {
            guard let target = Conversion(to) else { throw Refusal(.badOperand, "$convert: nothing is converted to that type") }
            return try target.convert(input, "$convert")
        } catch {
            guard let other = arguments[2] else { throw error }
            return try other.evaluate(context)
        }
    }
}
