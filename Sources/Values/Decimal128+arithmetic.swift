import CDecimal

extension Decimal128 {
    public static func + (left: Decimal128, right: Decimal128) -> Decimal128 { compute(left, right, __bid128_add) }
    public static func - (left: Decimal128, right: Decimal128) -> Decimal128 { compute(left, right, __bid128_sub) }
    public static func * (left: Decimal128, right: Decimal128) -> Decimal128 { compute(left, right, __bid128_mul) }
    public static func / (left: Decimal128, right: Decimal128) -> Decimal128 { compute(left, right, __bid128_div) }

    /// What a division leaves, with the dividend's sign.
    public static func % (left: Decimal128, right: Decimal128) -> Decimal128 {
        var flags: UInt32 = 0
        return Decimal128(__bid128_fmod(left.bits, right.bits, &flags))
    }

    /// With all 34 digits, as mongod writes powers.
    public func raised(to exponent: Decimal128) -> Decimal128 { Self.compute(self, exponent, __bid128_pow).withAllDigits }

    public var magnitude: Decimal128 { Decimal128(__bid128_abs(bits)) }

    /// The angle of the point (x, self).
    public func angle(_ x: Decimal128) -> Decimal128 { Self.compute(self, x, __bid128_atan2) }

    private typealias Binary = (BID_UINT128, BID_UINT128, UInt32, UnsafeMutablePointer<UInt32>?) -> BID_UINT128

    private static func compute(_ left: Decimal128, _ right: Decimal128, _ function: Binary) -> Decimal128 {
        var flags: UInt32 = 0
        return Decimal128(function(left.bits, right.bits, Rounding.halfToEven.rawValue, &flags))
    }

    /// The same number with zeros behind it, as far as there is room.
    public var withAllDigits: Decimal128 { self + Decimal128(low: 0, high: 0) }

    /// The number with so many decimal places; nil where they need more digits than there are.
    public func rounded(toPlaces places: Int, _ rounding: Rounding) -> Decimal128? {
        var flags: UInt32 = 0
        let result = __bid128_quantize(bits, Self.power(ofTen: -places).bits, rounding.rawValue, &flags)
        return flags & UInt32(BID_INVALID_EXCEPTION) == 0 ? Decimal128(result) : nil
    }

    /// 1 with an exponent from -6176 to 6111.
    private static func power(ofTen exponent: Int) -> Decimal128 { Decimal128(low: 1, high: UInt64(exponent + 6176) << 49) }

    /// Functions of one number.
    public enum Function: Sendable {
        case exp, ln, log10, squareRoot, acos, acosh, asin, asinh, atan, atanh, cos, cosh, sin, sinh, tan, tanh
    }

    public func applying(_ function: Function) -> Decimal128 {
        let compute: (BID_UINT128, UInt32, UnsafeMutablePointer<UInt32>?) -> BID_UINT128 =
            switch function {
            case .exp: __bid128_exp
            case .ln: __bid128_log
            case .log10: __bid128_log10
            case .squareRoot: __bid128_sqrt
            case .acos: __bid128_acos
            case .acosh: __bid128_acosh
            case .asin: __bid128_asin
            case .asinh: __bid128_asinh
            case .atan: __bid128_atan
            case .atanh: __bid128_atanh
            case .cos: __bid128_cos
            case .cosh: __bid128_cosh
            case .sin: __bid128_sin
            case .sinh: __bid128_sinh
            case .tan: __bid128_tan
            case .tanh: __bid128_tanh
            }
        var flags: UInt32 = 0
        return Decimal128(compute(bits, Rounding.halfToEven.rawValue, &flags))
    }
}
