import Values

/// Plain scalars by the core schema of YAML 1.2 (section 10.3.2 of its specification): `no`, `on` and `yes` are strings.
enum CoreSchema {
    enum Resolution: Equatable {
        case value(Value)
        /// A number that MongoDB cannot hold.
        case outOfRange
    }

    static func resolve(_ text: String) -> Resolution {
        switch text {
        case "", "~", "null", "Null", "NULL": return .value(.null)
        case "true", "True", "TRUE": return .value(.bool(true))
        case "false", "False", "FALSE": return .value(.bool(false))
        case ".nan", ".NaN", ".NAN": return .value(.double(.nan))
        case ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF": return .value(.double(.infinity))
        case "-.inf", "-.Inf", "-.INF": return .value(.double(-.infinity))
        default: return integer(text) ?? float(text) ?? .value(.string(text))
        }
    }

    /// `[-+]?[0-9]+`, `0o[0-7]+` or `0x[0-9a-fA-F]+`.
    private static func integer(_ text: String) -> Resolution? {
        var digits = text[...]
        var radix = 10
        if text.hasPrefix("0o") || text.hasPrefix("0x") {
            radix = text.hasPrefix("0o") ? 8 : 16
            digits = text.dropFirst(2)
        }
        let unsigned = radix == 10 && (digits.hasPrefix("-") || digits.hasPrefix("+")) ? digits.dropFirst() : digits
        guard !unsigned.isEmpty, unsigned.utf8.allSatisfy({ isDigit($0, radix) }) else { return nil }
        return Int64(digits, radix: radix).map { .value(Value(integer: $0)) } ?? .outOfRange
    }

    /// `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`
    private static func float(_ text: String) -> Resolution? {
        var rest = text.utf8[...]
        func take(_ allowed: StaticString) -> Bool {
            guard let byte = rest.first, allowed.withUTF8Buffer({ $0.contains(byte) }) else { return false }
            rest = rest.dropFirst()
            return true
        }
        func takeDigits() -> Int {
            let digits = rest.prefix { isDigit($0, 10) }
            rest = rest.dropFirst(digits.count)
            return digits.count
        }
        _ = take("+-")
        let whole = takeDigits()
        let fraction = take(".") ? takeDigits() : 0
        guard whole + fraction > 0 else { return nil }
        if take("eE") {
            _ = take("+-")
            guard takeDigits() > 0 else { return nil }
        }
        guard rest.isEmpty, let number = Double(text) else { return nil }
        return number.isFinite ? .value(.double(number)) : .outOfRange
    }

    private static func isDigit(_ byte: UInt8, _ radix: Int) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "7"): true
        case UInt8(ascii: "8"), UInt8(ascii: "9"): radix >= 10
        case UInt8(ascii: "a")...UInt8(ascii: "f"), UInt8(ascii: "A")...UInt8(ascii: "F"): radix == 16
        default: false
        }
    }
}
