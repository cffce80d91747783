#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The decimal digits of a double, 34 of them as in a Decimal128: what `$round` and `$trunc` round.
struct DecimalDigits {
    enum Rule { case halfToEven, towardZero }

    private var isNegative: Bool
    private var digits: [UInt8]
    /// Decimal places that the digits reach to.
    private var places: Int

    init(_ number: Double) {
        var text = [CChar](repeating: 0, count: 64)
        let count = withVaList([number]) { vsnprintf(&text, text.count, "%.33e", $0) }
        // -d.ddd…e±dd
        let parts = text.prefix(Int(count)).map { UInt8(bitPattern: $0) }.split(separator: UInt8(ascii: "e"))
        isNegative = number.sign == .minus
        digits = (parts.first ?? []).filter { 48...57 ~= $0 }.map { $0 - 48 }
        let exponent = parts.count > 1 ? Int(String(decoding: parts[1], as: UTF8.self)) ?? 0 : 0
        places = digits.count - 1 - exponent
        while digits.last == 0, digits.count > 1 {
            digits.removeLast()
            places -= 1
        }
    }

    func rounded(to place: Int, _ rule: Rule) -> Double {
        guard places > place else { return double(digits, places) }
        let dropped = places - place
        let kept = Array(digits.dropLast(dropped))
        let tail = dropped > digits.count ? [UInt8](repeating: 0, count: dropped - digits.count) + digits : Array(digits.suffix(dropped))
        let isUp: Bool
        switch rule {
        case .towardZero: isUp = false
        case .halfToEven:
            let first = tail.first ?? 0
            let isHalf = first == 5 && tail.dropFirst().allSatisfy { $0 == 0 }
            isUp = isHalf ? (kept.last ?? 0) % 2 == 1 : first >= 5
        }
        return double(isUp ? Self.increment(kept) : kept, place)
    }

    private static func increment(_ digits: [UInt8]) -> [UInt8] {
        var result = digits
        for place in result.indices.reversed() {
            if result[place] < 9 {
                result[place] += 1
                return result
            }
            result[place] = 0
        }
        return [1] + result
    }

    private func double(_ digits: [UInt8], _ places: Int) -> Double {
        let text = (isNegative ? "-" : "") + (digits.isEmpty ? "0" : String(decoding: digits.map { $0 + 48 }, as: UTF8.self)) + "e\(-places)"
        return Double(text) ?? 0
    }

    /// An integer rounded to tens, hundreds and so on; nil where it leaves int64.
    static func round(_ number: Int64, unit place: Int, _ rule: Rule) -> Int64? {
        let unit = (0..<(-place)).reduce(Int128(1)) { unit, _ in unit * 10 }
        let (quotient, rest) = Int128(number).quotientAndRemainder(dividingBy: unit)
        var result = quotient
        if rule == .halfToEven {
            let twice = rest.magnitude * 2
            if twice > unit.magnitude || twice == unit.magnitude && quotient % 2 != 0 { result += number < 0 ? -1 : 1 }
        }
        return Int64(exactly: result * unit)
    }
}
