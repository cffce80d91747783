import CDecimal

/// A decimal number of IEEE 754-2008 with up to 34 digits, as MongoDB stores it.
///
/// The arithmetic is Intel's library, which mongod uses too, so that both give the same digits. `==` is identity: 1.0 and 1.00
/// are different values that `Value.order(_:_:)` finds equal.
public struct Decimal128: Sendable, Hashable {
    /// As BSON has them, the low half first.
    public var low, high: UInt64

    public init(low: UInt64, high: UInt64) {
        self.low = low
        self.high = high
    }

    /// nil unless there are the 16 bytes that BSON has for one.
    public init?(bytes: some Collection<UInt8>) {
        guard bytes.count == 16 else { return nil }
        func half(_ bytes: some Collection<UInt8>) -> UInt64 { bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) } }
        self.init(low: half(bytes.prefix(8)), high: half(bytes.dropFirst(8)))
    }

    public var bytes: [UInt8] { [low, high].flatMap { half in (0..<8).map { UInt8(truncatingIfNeeded: half >> (8 * $0)) } } }

    init(_ bits: BID_UINT128) { self.init(low: bits.w.0, high: bits.w.1) }

    var bits: BID_UINT128 { BID_UINT128(w: (low, high)) }

    public init(_ integer: Int64) { self.init(__bid128_from_int64(integer)) }

    /// The nearest one of 34 digits.
    public init(_ number: Double) {
        var flags: UInt32 = 0
        self.init(__binary64_to_bid128(number, Rounding.halfToEven.rawValue, &flags))
    }

    /// A number as JSON writes it, or what `$toDecimal` takes beside that: `inf`, `nan`, `1.`, `.5` and a plus. nil for any
    /// other text, and for a number that is too large or too small to be kept. Digits beyond 34 are rounded.
    public init?(_ text: String) {
        guard text.utf8.count < 10_000, DecimalText.isNumber(text) else { return nil }
        var flags: UInt32 = 0
        var bytes = text.utf8CString
        let bits = bytes.withUnsafeMutableBufferPointer { __bid128_from_string($0.baseAddress, Rounding.halfToEven.rawValue, &flags) }
        guard flags & UInt32(BID_OVERFLOW_EXCEPTION | BID_UNDERFLOW_EXCEPTION) == 0 else { return nil }
        self.init(bits)
    }

    public var isNaN: Bool { __bid128_isNaN(bits) != 0 }
    public var isInfinite: Bool { __bid128_isInf(bits) != 0 }
    public var isZero: Bool { __bid128_isZero(bits) != 0 }
    public var isNegative: Bool { __bid128_isSigned(bits) != 0 }

    public static let zero = Decimal128(0 as Int64)
    public static let nan = Decimal128(Double.nan)

    /// The nearest double.
    public var double: Double { converted.double }

    /// The nearest double, unless it is too large or too small for one.
    public var doubleInRange: Double? {
        let (double, flags) = converted
        return flags & UInt32(BID_OVERFLOW_EXCEPTION | BID_UNDERFLOW_EXCEPTION) == 0 ? double : nil
    }

    private var converted: (double: Double, flags: UInt32) {
        var flags: UInt32 = 0
        return (__bid128_to_binary64(bits, Rounding.halfToEven.rawValue, &flags), flags)
    }

    /// The number without its fraction, if int64 holds it.
    public var truncated: Int64? {
        var flags: UInt32 = 0
        let integer = __bid128_to_int64_int(bits, &flags)
        return flags & UInt32(BID_INVALID_EXCEPTION) == 0 ? integer : nil
    }

    /// The nearest integer, halves to the even one; beyond int64 its least number, as mongod has it.
    public var rounded: Int64 {
        var flags: UInt32 = 0
        return __bid128_to_int64_rnint(bits, &flags)
    }

    /// The number if it is an integer that int64 holds.
    public var integer: Int64? {
        var flags: UInt32 = 0
        let integer = __bid128_to_int64_xint(bits, &flags)
        return flags & UInt32(BID_INVALID_EXCEPTION | BID_INEXACT_EXCEPTION) == 0 ? integer : nil
    }

    /// Negative, zero or positive; NaN equals itself and comes before every number.
    public static func order(_ left: Decimal128, _ right: Decimal128) -> Int {
        if left.isNaN || right.isNaN { return (left.isNaN ? 0 : 1) - (right.isNaN ? 0 : 1) }
        var flags: UInt32 = 0
        if __bid128_quiet_less(left.bits, right.bits, &flags) != 0 { return -1 }
        return __bid128_quiet_equal(left.bits, right.bits, &flags) != 0 ? 0 : 1
    }

    /// How a result finds its place between two numbers of the digits there are.
    public enum Rounding: UInt32, Sendable {
        case halfToEven = 0
        case down = 1
        case up = 2
        case towardZero = 3
    }
}
