import Events
import Testing
import Values

@testable import Models

@Suite struct NumberOperatorTests {
    private static func increment(_ amount: Value, _ text: String = "a") -> Models.Operator { .increment(path(text), value(amount)) }

    static let increments: [Row] = [
        Row(["a": 1], increment(2), .changed(["a": 3])),
        Row(["a": 1], increment(0), .unchanged),
        Row(["a": 1], increment(.int64(0)), .changed(["a": .int64(1)])),
        Row(["a": 1], increment(0.5), .changed(["a": 1.5])),
        Row(["a": .int32(.max)], increment(1), .changed(["a": .int64(2_147_483_648)])),
        Row(["a": .int64(5)], increment(-5), .changed(["a": .int64(0)])),
        // What is missing becomes the amount, even when that is nothing.
        Row(["b": 1], increment(7), .changed(["b": 1, "a": 7])),
        Row([:], increment(0), .changed(["a": 0])),
        Row(nil, increment(7, "a.b"), .changed(["a": ["b": 7]])),
        Row(["a": [1]], increment(7, "a.2"), .changed(["a": [1, nil, 7]])),
        Row(["a": .int64(.max)], increment(1), .refused(.numberOverflow)),
        Row(["a": .int64(.min)], increment(.int64(-1)), .refused(.numberOverflow)),
        Row(["a": "1"], increment(1), .refused(.badOperand)),
        Row(["a": nil], increment(1), .refused(.badOperand)),
        Row(["a": [1]], increment(1), .refused(.badOperand)),
        Row(["a": .date(1)], increment(1), .refused(.badOperand)),
        Row(["a": 1], increment("1"), .refused(.badOperand)),
        Row(["a": 1], increment(nil), .refused(.badOperand)),
        Row([:], increment(true), .refused(.badOperand)),
        Row(["a": 1], increment(1, "a.b"), .refused(.badPath)),
    ]

    @Test func `sums`() throws { try Row.check(Self.increments) }

    private static func multiply(_ factor: Value, _ text: String = "a") -> Models.Operator { .multiply(path(text), value(factor)) }

    static let products: [Row] = [
        Row(["a": 6], multiply(7), .changed(["a": 42])),
        Row(["a": 6], multiply(1), .unchanged),
        Row(["a": 6], multiply(.int64(1)), .changed(["a": .int64(6)])),
        Row(["a": 2], multiply(1.5), .changed(["a": 3.0])),
        Row(["a": .int32(1 << 30)], multiply(4), .changed(["a": .int64(1 << 32)])),
        Row(["a": .int32(.min)], multiply(-1), .changed(["a": .int64(1 << 31)])),
        Row(["a": .int64(1 << 62)], multiply(4), .refused(.numberOverflow)),
        Row(["a": .int64((1 << 53) + 1)], multiply(1.0), .changed(["a": .double(0x1p53)])),
        // What is missing becomes a zero, of the factor's type and sign.
        Row([:], multiply(5), .changed(["a": 0])), Row([:], multiply(.int64(5)), .changed(["a": .int64(0)])),
        Row([:], multiply(-1.5), .changed(["a": .double(-0.0)])), Row(["a": [1]], multiply(5, "a.2"), .changed(["a": [1, nil, 0]])),
        Row(["a": "x"], multiply(1), .refused(.badOperand)), Row(["a": nil], multiply(1), .refused(.badOperand)),
        Row(["a": 1], multiply("x"), .refused(.badOperand)), Row([:], multiply(nil), .refused(.badOperand)),
        Row(["a": 1], multiply(1, "a.b"), .refused(.badPath)),
    ]

    @Test func `products`() throws { try Row.check(Self.products) }

    static let zeros: [Row] = [
        Row(["a": .double(-0.0)], increment(0), .unchanged), Row(["a": .double(-0.0)], multiply(-1), .unchanged), Row(["a": 0.0], multiply(-1.0), .unchanged),
        Row(["a": 0], multiply(.double(-1)), .changed(["a": .double(-0.0)])), Row(["a": 5], multiply(.double(-0.0)), .changed(["a": .double(-0.0)])),
    ]

    /// mongod writes nothing where the number stays the same, and 0 and -0 are the same.
    @Test func `a zero keeps its sign`() throws { try Row.check(Self.zeros) }

    private static func bit(_ steps: (BitOperation, Value)..., at text: String = "a") -> Models.Operator {
        .bit(path(text), steps.map { ($0.0, value($0.1)) })
    }

    static let bits: [Row] = [
        Row(["a": 13], bit((.and, 10)), .changed(["a": 8])), Row(["a": 13], bit((.or, 10)), .changed(["a": 15])),
        Row(["a": 13], bit((.xor, 10)), .changed(["a": 7])), Row(["a": 13], bit((.or, 5)), .unchanged),
        // One after the other.
        Row(["a": 13], bit((.xor, 10), (.or, 8)), .changed(["a": 15])), Row(["a": 13], bit((.or, 8), (.xor, 10)), .changed(["a": 7])),
        // An int64 on either side makes one.
        Row(["a": 1], bit((.and, .int64(1))), .changed(["a": .int64(1)])), Row(["a": .int64(1)], bit((.and, 1)), .unchanged),
        Row(["a": .int64(-1)], bit((.and, -1)), .unchanged),
        Row([:], bit((.xor, 10)), .changed(["a": 10])), Row([:], bit((.and, 10)), .changed(["a": 0])),
        Row([:], bit((.or, .int64(2))), .changed(["a": .int64(2)])),
        Row(["a": 13.0], bit((.or, 1)), .refused(.badOperand)), Row(["a": nil], bit((.or, 1)), .refused(.badOperand)),
        Row(["a": 1], bit((.or, 1.0)), .refused(.badOperand)), Row([:], bit((.or, "1")), .refused(.badOperand)),
        Row(["a": 1], bit((.or, 1), at: "a.b"), .refused(.badPath)),
    ]

    @Test func `bits`() throws { try Row.check(Self.bits) }

    private static func least(_ new: Value) -> Models.Operator { .minimum(path("a"), value(new)) }
    private static func most(_ new: Value) -> Models.Operator { .maximum(path("a"), value(new)) }

    static let bounds: [Row] = [
        Row(["a": 5], least(4), .changed(["a": 4])), Row(["a": 5], least(5), .unchanged), Row(["a": 5], least(6), .unchanged),
        Row(["a": 5], most(6), .changed(["a": 6])), Row(["a": 5], most(5), .unchanged), Row(["a": 5], most(4), .unchanged),
        // Equal in another type is no change.
        Row(["a": 5], least(5.0), .unchanged), Row(["a": 5], most(.int64(5)), .unchanged),
        Row(["a": .int64((1 << 53) + 1)], least(.double(0x1p53)), .changed(["a": .double(0x1p53)])),
        Row(["a": .double(0x1p53)], most(.int64((1 << 53) + 1)), .changed(["a": .int64((1 << 53) + 1)])),
        // Across types, by MongoDB's order of types.
        Row(["a": 5], least("x"), .unchanged), Row(["a": 5], most("x"), .changed(["a": "x"])),
        Row(["a": 5], least(nil), .changed(["a": nil])), Row(["a": nil], most(5), .changed(["a": 5])),
        Row(["a": "x"], least([:]), .unchanged), Row(["a": [:]], most([]), .changed(["a": []])), Row(["a": false], most(.date(0)), .changed(["a": .date(0)])),
        Row(["a": 5], least(.double(.nan)), .changed(["a": .double(.nan)])), Row(["a": 5], most(.double(.nan)), .unchanged),
        // What is missing becomes the value.
        Row([:], least(5), .changed(["a": 5])), Row([:], most(nil), .changed(["a": nil])), Row(nil, most(5), .changed(["a": 5])),
        Row(["b": 1], .minimum(path("c.d"), value(5)), .changed(["b": 1, "c": ["d": 5]])),
        Row(["a": 5], .maximum(path("a.b"), value(5)), .refused(.badPath)),
    ]

    @Test func `least and most`() throws { try Row.check(Self.bounds) }
}
