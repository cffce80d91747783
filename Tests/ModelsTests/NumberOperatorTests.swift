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
