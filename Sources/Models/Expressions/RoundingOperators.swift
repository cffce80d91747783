import Events
import Values

/// `$round` and `$trunc`, which compute with decimals whatever they are given, as mongod does.
enum RoundingOperators {
    private typealias Parameter = ExpressionOperator.Parameter

    private static let place = [Parameter("number", .number), Parameter("place", .integer, isOptional: true)]

    static let all: [ExpressionOperator] = [
        .init(
            "$round", place, .list(least: 1), "The number rounded to so many decimal places, by default none; halves go to the even neighbour.",
            "{ $round: [ $data.amount, 2 ] }"
        ) { (x: Operands) throws(Refusal) in try round(x, .halfToEven) },
        .init(
            "$trunc", place, .list(least: 1), "The number cut off after so many decimal places, by default none.", "{ $trunc: [ $data.amount, 2 ] }"
        ) { (x: Operands) throws(Refusal) in try round(x, .towardZero) },
    ]

    private static func round(_ x: Operands, _ rule: Decimal128.Rounding) throws(Refusal) -> Value? {
        if x[0].isNullish { return .null }
        let number = try x.number(0)
        if x.isGiven(1), x[1].isNullish { return .null }
        let place = x.isGiven(1) ? try x.int32(1) : 0
        guard -20...100 ~= place else { throw x.refusal("\(place) decimal places are not from -20 to 100") }
        guard let value = x[0], !value.isDouble else {
            return .double(number.isFinite ? rounded(Decimal128(number), place, rule).double : number)
        }
        if case .decimal(let number) = value { return .decimal(number.isNaN || number.isInfinite ? number : rounded(number, place, rule)) }
        if place >= 0 { return value }
        guard let rounded = rounded(Decimal128(value.asInteger ?? 0), place, rule).truncated else { throw x.overflow() }
        // Below int32 mongod does not widen.
        return value.isLong || rounded > Int32.max ? .int64(rounded) : .int32(Int32(truncatingIfNeeded: rounded))
    }

    /// With as many places as there is room for.
    private static func rounded(_ number: Decimal128, _ place: Int, _ rule: Decimal128.Rounding) -> Decimal128 {
        number.rounded(toPlaces: place, rule) ?? number.withAllDigits
    }
}
