import CDecimal

extension Decimal128: CustomStringConvertible {
    /// As MongoDB writes it: `123.4500`, and `1E+3` where zeros would have to be made up.
    public var description: String {
        if isNaN { return "NaN" }
        if isInfinite { return isNegative ? "-Infinity" : "Infinity" }
        var (digits, exponent) = parts
        let places = exponent + digits.count - 1
        if exponent > 0 || places < -6 {
            if digits.count > 1 { digits.insert(UInt8(ascii: "."), at: 1) }
            digits += Array("E\(places < 0 ? "" : "+")\(places)".utf8)
        } else if exponent < 0 {
            if places < 0 { digits.insert(contentsOf: [UInt8](repeating: UInt8(ascii: "0"), count: -places), at: 0) }
            digits.insert(UInt8(ascii: "."), at: digits.count + exponent)
        }
        return (isNegative ? "-" : "") + String(decoding: digits, as: UTF8.self)
    }

    /// The digits of a finite number and the power of ten that the last one stands for.
    private var parts: (digits: [UInt8], exponent: Int) {
        // A sign, 34 digits, E, a sign and 4 digits.
        var text = [CChar](repeating: 0, count: 64)
        var flags: UInt32 = 0
        __bid128_to_string(&text, bits, &flags)
        let bytes = text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
        let halves = bytes.dropFirst().split(separator: UInt8(ascii: "E"))
        return (Array(halves.first ?? []), halves.count > 1 ? Int(String(decoding: halves[1], as: UTF8.self)) ?? 0 : 0)
    }

    /// A double with 15 digits, which are those that it was written with.
    public init(fifteenDigitsOf number: Double) {
        guard number.isFinite, number != 0 else {
            self.init(number)
            return
        }
        let text = DecimalText.scientific(number, digits: 15)
        self = Decimal128(text) ?? Decimal128(number)
    }
}

/// Numbers as text, before they are any type of number.
enum DecimalText {
    /// Whether a text is a number as mongod reads one: digits with a point somewhere and an exponent, or `inf`, `infinity` and `nan`.
    static func isNumber(_ text: String) -> Bool {
        var rest = Substring(text).utf8
        if rest.first == UInt8(ascii: "+") || rest.first == UInt8(ascii: "-") { rest = rest.dropFirst() }
        if ["inf", "infinity", "nan"].contains(String(decoding: rest, as: UTF8.self).lowercased()) { return true }
        func digits() -> Int {
            let digits = rest.prefix { 48...57 ~= $0 }.count
            rest = rest.dropFirst(digits)
            return digits
        }
        var count = digits()
        if rest.first == UInt8(ascii: ".") {
            rest = rest.dropFirst()
            count += digits()
        }
        guard count > 0 else { return false }
        guard let letter = rest.first else { return true }
        guard letter | 0x20 == UInt8(ascii: "e") else { return false }
        rest = rest.dropFirst()
        if rest.first == UInt8(ascii: "+") || rest.first == UInt8(ascii: "-") { rest = rest.dropFirst() }
        return digits() > 0 && rest.isEmpty
    }
}
