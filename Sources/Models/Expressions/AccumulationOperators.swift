import Events
import Values

/// Several values to one. A single argument that is an array stands for its elements.
enum AccumulationOperators {
    static let all: [ExpressionOperator] = [
        row("$avg", "The average of the numbers, a double, or a decimal where one is; null where there are none.", "{ $avg: $data.ratings }", average),
        row("$max", "The greatest value but null.", "{ $max: [ $data.price, $$doc.highest ] }") { values in
            extreme(values) { Value.order($0, $1) > 0 }
        },
        row("$min", "The least value but null.", "{ $min: [ $data.price, $$doc.lowest ] }") { values in extreme(values) { Value.order($0, $1) < 0 } },
        row("$stdDevPop", "The standard deviation of the numbers as a whole population.", "{ $stdDevPop: $data.ratings }") { deviation($0, less: 0) },
        row("$stdDevSamp", "The standard deviation of the numbers as a sample.", "{ $stdDevSamp: $data.ratings }") { deviation($0, less: 1) },
        row("$sum", "The sum of the numbers; other values count nothing.", "{ $sum: $data.items.price }", sum),
    ]

    private static func row(_ name: String, _ meaning: String, _ example: String, _ body: @escaping @Sendable ([Value?]) -> Value) -> ExpressionOperator {
        .init(name, [ExpressionOperator.Parameter("value", .any)], .list(least: 0, repeats: true), meaning, example) { (x: Operands) throws(Refusal) in
            if x.values.count == 1, case .array(let elements)? = x[0] { return body(elements) }
            return body(x.values)
        }
    }

    private static func extreme(_ values: [Value?], _ isBetter: (Value, Value) -> Bool) -> Value {
        var best: Value?
        for value in values where !value.isNullish {
            if let value, best.map({ isBetter(value, $0) }) ?? true { best = value }
        }
        return best ?? .null
    }

    static func sum(_ values: [Value?]) -> Value {
        var sum = ExactSum()
        var decimals: Decimal128?
        var widest: Value = 0
        for case let value? in values {
            switch value {
            case .int32(let number): sum.add(Double(number))
            case .int64(let number):
                sum.add(number)
                if widest.isInt { widest = .int64(0) }
            case .double(let number):
                sum.add(number)
                widest = 0.0
            case .decimal(let number): decimals = decimals.map { $0 + number } ?? .zero + number
            default: break
            }
        }
        if let decimals { return .decimal(decimals + sum.decimal) }
        guard !widest.isDouble, let integer = sum.integer else { return .double(sum.double) }
        return widest.isLong ? .int64(integer) : Value(integer: integer)
    }

    static func average(_ values: [Value?]) -> Value {
        var sum = ExactSum()
        var decimals: Decimal128?
        var count = 0
        for case let value? in values where value.asNumber != nil {
            count += 1
            if case .decimal(let number) = value {
                decimals = decimals.map { $0 + number } ?? .zero + number
                continue
            }
            if case .int64(let number) = value { sum.add(number) } else { sum.add(value.asNumber ?? 0) }
        }
        if let decimals { return .decimal((decimals + sum.decimal) / Decimal128(Int64(count))) }
        return count == 0 ? .null : .double(sum.double / Double(count))
    }

    /// Welford's method, one number at a time.
    private static func deviation(_ values: [Value?], less: Int) -> Value {
        var (count, mean, squares) = (0, 0.0, 0.0)
        for number in values.compactMap({ $0?.asNumber }) {
            count += 1
            let distance = number - mean
            mean += distance / Double(count)
            squares += distance * (number - mean)
        }
        guard count > less else { return .null }
        return .double((squares / Double(count - less)).squareRoot())
    }
}
