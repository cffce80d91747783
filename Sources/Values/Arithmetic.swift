/// Why two values have no sum or product.
public enum ArithmeticError: Error, Equatable {
    case notANumber(String)
    case overflow
}

extension Value {
    /// The sum as `$inc` makes it: int32 widens to int64 when it must, a double makes a double, a decimal a decimal, and what leaves int64
    /// is refused.
    public static func sum(_ left: Value, _ right: Value) throws(ArithmeticError) -> Value {
        switch (left, right) {
        case (.int32(let a), .int32(let b)): return Value(integer: Int64(a) + Int64(b))
        case (.double(let a), .double(let b)): return .double(a + b)
        case (.double(let a), .int32), (.double(let a), .int64): return .double(a + Double(right.asInteger ?? 0))
        case (.int32, .double(let b)), (.int64, .double(let b)): return .double(Double(left.asInteger ?? 0) + b)
        case (.int32, .int64), (.int64, .int32), (.int64, .int64):
            let (sum, overflow) = (left.asInteger ?? 0).addingReportingOverflow(right.asInteger ?? 0)
            if overflow { throw .overflow }
            return .int64(sum)
        default: return .decimal(try decimals(left, right, +))
        }
    }

    /// The product as `$mul` makes it, by the rules of the sum.
    public static func product(_ left: Value, _ right: Value) throws(ArithmeticError) -> Value {
        switch (left, right) {
        case (.int32(let a), .int32(let b)): return Value(integer: Int64(a) * Int64(b))
        case (.double(let a), .double(let b)): return .double(a * b)
        case (.double(let a), .int32), (.double(let a), .int64): return .double(a * Double(right.asInteger ?? 0))
        case (.int32, .double(let b)), (.int64, .double(let b)): return .double(Double(left.asInteger ?? 0) * b)
        case (.int32, .int64), (.int64, .int32), (.int64, .int64):
            let (product, overflow) = (left.asInteger ?? 0).multipliedReportingOverflow(by: right.asInteger ?? 0)
            if overflow { throw .overflow }
            return .int64(product)
        default: return .decimal(try decimals(left, right, *))
        }
    }

    /// With one decimal the result is one.
    private static func decimals(
        _ left: Value, _ right: Value, _ compute: (Decimal128, Decimal128) -> Decimal128
    ) throws(ArithmeticError) -> Decimal128 {
        guard let a = left.asDecimal else { throw .notANumber(left.typeName) }
        guard let b = right.asDecimal else { throw .notANumber(right.typeName) }
        return compute(a, b)
    }
}
