/// Why two values have no sum or product.
public enum ArithmeticError: Error, Equatable {
    case notANumber(String)
    case overflow
}

extension Value {
    /// The sum as `$inc` makes it: int32 widens to int64 when it must, a double makes a double, and what leaves int64
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
        case (.int32, let other), (.int64, let other), (.double, let other), (let other, _): throw .notANumber(other.typeName)
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
        case (.int32, let other), (.int64, let other), (.double, let other), (let other, _): throw .notANumber(other.typeName)
        }
    }
}
