import Events
import Values

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Angles are in radians, results doubles, or decimals where the operand is one.
enum TrigonometryOperators {
    private typealias Parameter = ExpressionOperator.Parameter

    private static let finite = -Double.greatestFiniteMagnitude...Double.greatestFiniteMagnitude
    private static let everything = -Double.infinity...Double.infinity

    static let all: [ExpressionOperator] = [
        row("$acos", "The angle of a cosine.", -1...1, .acos, acos),
        row("$acosh", "The inverse hyperbolic cosine of a number from 1.", 1...Double.infinity, .acosh, acosh),
        row("$asin", "The angle of a sine.", -1...1, .asin, asin), row("$asinh", "The inverse hyperbolic sine.", everything, .asinh, asinh),
        row("$atan", "The angle of a tangent.", everything, .atan, atan),
        .init(
            "$atan2", [Parameter("y", .number), Parameter("x", .number)], .list(least: 2), "The angle of the point (x, y).",
            "{ $atan2: [ $data.y, $data.x ] }"
        ) { (x: Operands) throws(Refusal) in
            if x[0].isNullish { return .null }
            let y = try x.number(0)
            if x[1].isNullish { return .null }
            let number = try x.number(1)
            guard let first = x[0], let second = x[1], first.isDecimal || second.isDecimal, let a = first.asDecimal, let b = second.asDecimal else {
                return .double(atan2(y, number))
            }
            return .decimal(a.angle(b))
        },
        row("$atanh", "The inverse hyperbolic tangent of a number from -1 to 1.", -1...1, .atanh, atanh), row("$cos", "The cosine.", finite, .cos, cos),
        row("$cosh", "The hyperbolic cosine.", everything, .cosh, cosh),
        turn("$degreesToRadians", "The angle in radians.", .pi / 180, "0.01745329251994329576923690768488613"),
        turn("$radiansToDegrees", "The angle in degrees.", 180 / .pi, "57.29577951308232087679815481410517"), row("$sin", "The sine.", finite, .sin, sin),
        row("$sinh", "The hyperbolic sine.", everything, .sinh, sinh), row("$tan", "The tangent.", finite, .tan, tan),
        row("$tanh", "The hyperbolic tangent.", everything, .tanh, tanh),
    ]

    private static func row(
        _ name: String, _ meaning: String, _ domain: ClosedRange<Double>, _ decimal: Decimal128.Function, _ function: @escaping @Sendable (Double) -> Double
    ) -> ExpressionOperator {
        .init(name, [Parameter("number", .number)], .list(least: 1), meaning, "{ \(name): $data.x }") { (x: Operands) throws(Refusal) in
            if x[0].isNullish { return .null }
            let number = try x.number(0)
            if case .decimal(let number)? = x[0] {
                let isWithin = Decimal128.order(number, Decimal128(domain.lowerBound)) >= 0 && Decimal128.order(number, Decimal128(domain.upperBound)) <= 0
                guard number.isNaN || isWithin || domain == finite && !number.isInfinite else {
                    throw x.refusal("\(number) is outside of what it is defined for")
                }
                return .decimal(number.applying(decimal))
            }
            guard number.isNaN || domain.contains(number) else { throw x.refusal("\(number) is outside of what it is defined for") }
            return .double(function(number))
        }
    }

    private static func turn(_ name: String, _ meaning: String, _ factor: Double, _ digits: String) -> ExpressionOperator {
        let decimal = Decimal128(digits) ?? .nan
        return .init(name, [Parameter("number", .number)], .list(least: 1), meaning, "{ \(name): $data.x }") { (x: Operands) throws(Refusal) in
            if x[0].isNullish { return .null }
            if case .decimal(let number)? = x[0] { return .decimal(number * decimal) }
            return .double(try x.number(0) * factor)
        }
    }
}
