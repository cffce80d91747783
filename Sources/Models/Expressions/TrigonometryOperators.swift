import Events
import Values

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Angles are in radians, results doubles.
enum TrigonometryOperators {
    private typealias Parameter = ExpressionOperator.Parameter

    private static let finite = -Double.greatestFiniteMagnitude...Double.greatestFiniteMagnitude
    private static let everything = -Double.infinity...Double.infinity

    static let all: [ExpressionOperator] = [
        row("$acos", "The angle of a cosine.", -1...1, acos), row("$acosh", "The inverse hyperbolic cosine of a number from 1.", 1...Double.infinity, acosh),
        row("$asin", "The angle of a sine.", -1...1, asin), row("$asinh", "The inverse hyperbolic sine.", everything, asinh),
        row("$atan", "The angle of a tangent.", everything, atan),
        .init(
            "$atan2", [Parameter("y", .number), Parameter("x", .number)], .list(least: 2), "The angle of the point (x, y).",
            "{ $atan2: [ $data.y, $data.x ] }"
        ) { (x: Operands) throws(Refusal) in
            if x[0].isNullish { return .null }
            let y = try x.number(0)
            return x[1].isNullish ? .null : .double(atan2(y, try x.number(1)))
        },
        row("$atanh", "The inverse hyperbolic tangent of a number from -1 to 1.", -1...1, atanh), row("$cos", "The cosine.", finite, cos),
        row("$cosh", "The hyperbolic cosine.", everything, cosh),
        row("$degreesToRadians", "The angle in radians.", everything) { $0 * (.pi / 180) },
        row("$radiansToDegrees", "The angle in degrees.", everything) { $0 * (180 / .pi) }, row("$sin", "The sine.", finite, sin),
        row("$sinh", "The hyperbolic sine.", everything, sinh), row("$tan", "The tangent.", finite, tan),
        row("$tanh", "The hyperbolic tangent.", everything, tanh),
    ]

    private static func row(
        _ name: String, _ meaning: String, _ domain: ClosedRange<Double>, _ function: @escaping @Sendable (Double) -> Double
    ) -> ExpressionOperator {
        .init(name, [Parameter("number", .number)], .list(least: 1), meaning, "{ \(name): $data.x }") { (x: Operands) throws(Refusal) in
            if x[0].isNullish { return .null }
            let number = try x.number(0)
            guard number.isNaN || domain.contains(number) else { throw x.refusal("\(number) is outside of what it is defined for") }
            return .double(function(number))
        }
    }
}
