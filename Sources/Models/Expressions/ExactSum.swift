import Values

/// A sum of doubles that keeps what rounding takes away in a second double, so that integers of 64 bits add up exactly and
/// the order of few doubles hardly shows: 2Sum and Fast2Sum (Boldo, Graillat and Muller, 2017), as mongod adds.
struct ExactSum {
    private var sum = 0.0
    private var rest = 0.0
    /// The plain sum, for infinities and NaN.
    private var plain = 0.0

    mutating func add(_ number: Double) {
        plain += number
        let small = number + rest
        rest -= small - number
        let total = sum + small
        let part = total - small
        rest += (sum - part) + (small - (total - part))
        sum = total
    }

    mutating func add(_ number: Int64) {
        // Two halves that a double holds exactly.
        let high = number / 0x1_0000_0000 * 0x1_0000_0000
        add(Double(number - high))
        add(Double(high))
    }

    /// The sum with the digits that both doubles have together.
    var decimal: Decimal128 { sum.isFinite ? Decimal128(sum) + Decimal128(rest) : Decimal128(plain) }

    var double: Double { sum.isNaN ? plain : sum }

    /// The sum as an integer of 64 bits, if it is in their range.
    var integer: Int64? {
        guard sum.isFinite else { return nil }
        let whole = sum.rounded(.toNearestOrAwayFromZero)
        // 2^63 itself is within reach when the rest takes something away.
        if whole == 0x1p63 {
            let small = Int64(exactly: rest.rounded(.toNearestOrAwayFromZero)) ?? 0
            return small < 0 ? .max &+ (small + 1) : nil
        }
        guard let base = Int64(exactly: whole) else { return nil }
        let more = (sum - whole) + rest
        guard let small = Int64(exactly: more.rounded(.toNearestOrAwayFromZero)) else { return nil }
        let (result, overflow) = base.addingReportingOverflow(small)
        return overflow ? nil : result
    }
}
