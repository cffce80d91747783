import Events
import Values

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Operators that compute with numbers. int32 widens to int64 and int64 to double where a result needs it, as in MongoDB.
enum ArithmeticOperators {
    private typealias Parameter = ExpressionOperator.Parameter

    private static let number = [Parameter("number", .number)]

    static let all: [ExpressionOperator] = [
        .init("$abs", number, .list(least: 1), "The number without its sign.", "{ $abs: $data.change }", abs),
        .init(
            "$add", [Parameter("number", .dateOrNumber)], .list(least: 0, repeats: true),
            "The sum; with one date among the numbers, the date so many milliseconds later.", "{ $add: [ $$doc.total, $data.amount ] }", add),
        .init("$ceil", number, .list(least: 1), "The least whole number that is not below the number.", "{ $ceil: $data.score }", ceil),
        .init(
            "$divide", [Parameter("dividend", .number), Parameter("divisor", .number)], .list(least: 2), "The quotient, a double, or a decimal where one is.",
            "{ $divide: [ $data.cents, 100 ] }", divide),
        .init("$exp", number, .list(least: 1), "e raised to the number.", "{ $exp: $data.rate }") { (x: Operands) throws(Refusal) in try real(x, .exp, exp) },
        .init("$floor", number, .list(least: 1), "The greatest whole number that is not above the number.", "{ $floor: $data.score }", floor),
        .init("$ln", number, .list(least: 1), "The natural logarithm of a positive number.", "{ $ln: $data.count }") { (x: Operands) throws(Refusal) in
            try logarithm(x, .ln, log)
        },
        .init(
            "$log", [Parameter("number", .number), Parameter("base", .number)], .list(least: 2), "The logarithm of a positive number to a base.",
            "{ $log: [ $data.count, 2 ] }", logToBase),
        .init("$log10", number, .list(least: 1), "The logarithm of a positive number to base 10.", "{ $log10: $data.count }") {
            (x: Operands) throws(Refusal) in try logarithm(x, .log10, log10)
        },
        .init(
            "$mod", [Parameter("dividend", .number), Parameter("divisor", .number)], .list(least: 2),
            "What a division leaves, with the dividend's sign.", "{ $mod: [ $data.number, 12 ] }", mod),
        .init(
            "$multiply", [Parameter("number", .number)], .list(least: 0, repeats: true), "The product.", "{ $multiply: [ $data.price, $data.count ] }", multiply
        ),
        .init(
            "$pow", [Parameter("number", .number), Parameter("exponent", .number)], .list(least: 2), "The number raised to the exponent.",
            "{ $pow: [ $data.side, 2 ] }", pow),
        .init("$sqrt", number, .list(least: 1), "The square root of a number that is not negative.", "{ $sqrt: $data.variance }", squareRoot),
        .init(
            "$subtract", [Parameter("number", .dateOrNumber), Parameter("less", .dateOrNumber)], .list(least: 2),
            "The difference: of two numbers, of two dates in milliseconds, or a date so many milliseconds earlier.",
            "{ $subtract: [ $$doc.stock, $data.sold ] }", subtract),
    ]

    private static func abs(_ x: Operands) throws(Refusal) -> Value? {
        switch x[0] {
        case .int32(let number)?: return Value(integer: Swift.abs(Int64(number)))
        case .int64(let number)?:
            guard number != .min else { throw x.overflow() }
            return .int64(Swift.abs(number))
        case .double(let number)?: return .double(Swift.abs(number))
        case .decimal(let number)?: return .decimal(number.magnitude)
        case let value where value.isNullish: return .null
        case let value: throw x.refusal(value, not: "a number")
        }
    }

    private static func ceil(_ x: Operands) throws(Refusal) -> Value? { try whole(x, .up, .up) }

    private static func floor(_ x: Operands) throws(Refusal) -> Value? { try whole(x, .down, .down) }

    private static func whole(_ x: Operands, _ rule: FloatingPointRoundingRule, _ rounding: Decimal128.Rounding) throws(Refusal) -> Value? {
        switch x[0] {
        case .int32?, .int64?: return x[0]
        case .double(let number)?: return .double(number.rounded(rule))
        // What has no room for its digits is NaN in mongod too.
        case .decimal(let number)?: return .decimal(number.rounded(toPlaces: 0, rounding) ?? .nan)
        case let value where value.isNullish: return .null
        case let value: throw x.refusal(value, not: "a number")
        }
    }

    static func real(_ x: Operands, _ decimal: Decimal128.Function, _ function: (Double) -> Double) throws(Refusal) -> Value? {
        if x[0].isNullish { return .null }
        if case .decimal(let number)? = x[0] { return .decimal(number.applying(decimal)) }
        return .double(function(try x.number(0)))
    }

    private static func logarithm(_ x: Operands, _ decimal: Decimal128.Function, _ function: (Double) -> Double) throws(Refusal) -> Value? {
        if x[0].isNullish { return .null }
        let number = try x.number(0)
        guard number > 0 || number.isNaN || x.isPositiveDecimal(0) else { throw x.refusal("\(number) is not positive") }
        // NaN comes out as a double.
        if case .decimal(let number)? = x[0], !number.isNaN { return .decimal(number.applying(decimal)) }
        return .double(function(number))
    }

    private static func logToBase(_ x: Operands) throws(Refusal) -> Value? {
        if x.isNull(0..<2) { return .null }
        let (number, base) = (try x.number(0), try x.number(1))
        guard number > 0 || number.isNaN || x.isPositiveDecimal(0) else { throw x.refusal("\(number) is not positive") }
        guard base > 0 && base != 1 || base.isNaN || x.isPositiveDecimal(1) else { throw x.refusal("the base \(base) is not positive, or 1") }
        if let (number, base) = x.decimals { return .decimal(number.applying(.ln) / base.applying(.ln)) }
        return .double(log(number) / log(base))
    }

    private static func squareRoot(_ x: Operands) throws(Refusal) -> Value? {
        if x[0].isNullish { return .null }
        let number = try x.number(0)
        guard number >= 0 || number.isNaN else { throw x.refusal("\(number) is negative") }
        if case .decimal(let number)? = x[0] { return .decimal(number.applying(.squareRoot)) }
        return .double(number.squareRoot())
    }

    private static func add(_ x: Operands) throws(Refusal) -> Value? {
        var sum = ExactSum()
        var decimals: Decimal128?
        var widest: Value = 0
        var hasDate = false
        for value in x.values {
            switch value {
            case .int32(let number)?: sum.add(Double(number))
            case .int64(let number)?:
                sum.add(number)
                if widest.isInt { widest = .int64(0) }
            case .double(let number)?:
                sum.add(number)
                widest = 0.0
            case .decimal(let number)?: decimals = decimals.map { $0 + number } ?? .zero + number
            case .date(let time)?:
                guard !hasDate else { throw x.refusal("there is more than one date") }
                hasDate = true
                sum.add(time)
            case let value where value.isNullish: return .null
            case let value: throw x.refusal(value, not: "a number or a date")
            }
        }
        if let decimals {
            let total = decimals + sum.decimal
            return hasDate ? .date(total.rounded) : .decimal(total)
        }
        if hasDate {
            guard let time = sum.integer else { throw x.overflow() }
            return .date(time)
        }
        guard !widest.isDouble, let integer = sum.integer else { return .double(sum.double) }
        return widest.isLong ? .int64(integer) : Value(integer: integer)
    }

    private static func subtract(_ x: Operands) throws(Refusal) -> Value? {
        if x.isNull(0..<2) { return .null }
        switch (x[0], x[1]) {
        case (.date(let left)?, .date(let right)?): return .int64(try exact(left.subtractingReportingOverflow(right), x))
        case (.date(let time)?, let right?) where right.asNumber != nil:
            let given: Int64? = if case .decimal(let number) = right { number.rounded } else { right.truncatedInteger }
            guard let less = given, less != .min else { throw x.overflow() }
            return .date(try exact(time.subtractingReportingOverflow(less), x))
        case (let left?, let right?):
            if let (a, b) = x.decimals { return .decimal(a - b) }
            guard let a = left.asNumber, let b = right.asNumber else {
                throw x.refusal("a value of type \(right.typeName) cannot be taken from one of type \(left.typeName)")
            }
            if left.isDouble || right.isDouble { return .double(a - b) }
            let (difference, overflow) = (left.asInteger ?? 0).subtractingReportingOverflow(right.asInteger ?? 0)
            if overflow { return .double(a - b) }
            return left.isLong || right.isLong ? .int64(difference) : Value(integer: difference)
        default: return .null
        }
    }

    private static func exact(_ result: (partialValue: Int64, overflow: Bool), _ x: Operands) throws(Refusal) -> Int64 {
        guard !result.overflow else { throw x.overflow() }
        return result.partialValue
    }

    private static func multiply(_ x: Operands) throws(Refusal) -> Value? {
        var double = 1.0
        var integer: Int64 = 1
        var decimal: Decimal128?
        var widest: Value = 0
        for value in x.values {
            if value.isNullish { return .null }
            guard let value, let number = value.asNumber else { throw x.refusal(value, not: "a number") }
            if decimal != nil || value.isDecimal {
                // From the first decimal on, and what was there before as one.
                let before = decimal ?? (widest.isDouble ? Decimal128(fifteenDigitsOf: double) : Decimal128(integer))
                decimal = value.asDecimal.map { before * $0 }
                continue
            }
            double *= number
            if value.isLong, widest.isInt { widest = .int64(0) }
            if value.isDouble { widest = 0.0 }
            if !widest.isDouble {
                let (product, overflow) = integer.multipliedReportingOverflow(by: value.asInteger ?? 0)
                integer = product
                // What leaves int64 goes on as a double.
                if overflow { widest = 0.0 }
            }
        }
        if let decimal { return .decimal(decimal) }
        switch widest {
        case .double: return .double(double)
        case .int64: return .int64(integer)
        default: return Value(integer: integer)
        }
    }

    private static func divide(_ x: Operands) throws(Refusal) -> Value? {
        if x.isNull(0..<2) { return .null }
        let (dividend, divisor) = (try x.number(0), try x.number(1))
        if let (dividend, divisor) = x.decimals {
            guard !divisor.isZero else { throw x.refusal("the divisor is 0") }
            return .decimal(dividend / divisor)
        }
        guard divisor != 0 else { throw x.refusal("the divisor is 0") }
        return .double(dividend / divisor)
    }

    private static func mod(_ x: Operands) throws(Refusal) -> Value? {
        if x.isNull(0..<2) { return .null }
        let (dividend, divisor) = (try x.number(0), try x.number(1))
        if let (dividend, divisor) = x.decimals {
            guard !divisor.isZero else { throw x.refusal("the divisor is 0") }
            return .decimal(dividend % divisor)
        }
        guard divisor != 0 else { throw x.refusal("the divisor is 0") }
        guard let left = x[0], let right = x[1] else { return .null }
        if left.isDouble || right.isDouble && right.asInteger.flatMap({ Int32(exactly: $0) }) == nil { return .double(fmod(dividend, divisor)) }
        // A divisor that is a double, but a whole number of 32 bits, counts as an integer.
        let (a, b) = (left.asInteger ?? 0, right.asInteger ?? 1)
        let rest = b == -1 ? 0 : a % b
        return left.isLong || right.isLong ? .int64(rest) : Value(integer: rest)
    }

    private static func pow(_ x: Operands) throws(Refusal) -> Value? {
        if x.isNull(0..<2) { return .null }
        let (base, exponent) = (try x.number(0), try x.number(1))
        guard !(x[0]?.isZero ?? false && exponent < 0) else { throw x.refusal("0 cannot be raised to a negative exponent") }
        if let (base, exponent) = x.decimals { return .decimal(base.raised(to: exponent)) }
        guard let left = x[0], let right = x[1], !left.isDouble, !right.isDouble, let number = left.asInteger, let times = right.asInteger,
            let power = power(number, times)
        else { return .double(Self.raise(base, exponent)) }
        return left.isLong || right.isLong ? .int64(power) : Value(integer: power)
    }

    private static func raise(_ base: Double, _ exponent: Double) -> Double {
        #if canImport(Glibc)
            Glibc.pow(base, exponent)
        #else
            Darwin.pow(base, exponent)
        #endif
    }

    /// The power if it is an integer of 64 bits.
    private static func power(_ base: Int64, _ exponent: Int64) -> Int64? {
        if base == 1 || exponent == 0 { return 1 }
        if base == -1 { return exponent % 2 == 0 ? 1 : -1 }
        if exponent < 0 { return nil }
        if base == 0 { return 0 }
        var result: Int64 = 1
        guard exponent < 64 else { return nil }
        for _ in 0..<exponent {
            let (product, overflow) = result.multipliedReportingOverflow(by: base)
            if overflow { return nil }
            result = product
        }
        return result
    }
}

extension Operands {
    /// Two numbers as decimals, when one of them is.
    fileprivate var decimals: (Decimal128, Decimal128)? {
        guard let first = self[0], let second = self[1], first.isDecimal || second.isDecimal, let a = first.asDecimal, let b = second.asDecimal else {
            return nil
        }
        return (a, b)
    }

    /// Also of one that is too small for a double.
    fileprivate func isPositiveDecimal(_ place: Int) -> Bool {
        guard case .decimal(let number)? = self[place] else { return false }
        return !number.isNaN && !number.isNegative && !number.isZero && Decimal128.order(number, Decimal128(1 as Int64)) != 0
    }
}

extension Value {
    /// A number without its fraction, if it is one that int64 holds.
    var truncatedInteger: Int64? {
        if case .decimal(let number) = self { return number.truncated }
        guard case .double(let number) = self else { return asInteger }
        return Int64(exactly: number.rounded(.towardZero))
    }
}
