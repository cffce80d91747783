import Testing
import Values

/// Identity, which decides what counts as a change: types are part of it.
@Suite struct ValueTests {
    /// Equal to MongoDB's order, or to Swift's idea of text, but not the same in what is stored.
    @Test(
        arguments: [
            (.int32(1), .int64(1)), (.int32(1), .double(1)), (.double(0), .double(-0.0)), ("é", "e\u{301}"), (.date(1), .int64(1)), (nil, false),
            (["a": 1, "b": 2], ["b": 2, "a": 1]), (["é": 1], ["e\u{301}": 1]), ([1, 2], [2, 1]), (.binary([1]), .binary([1], subtype: 4)),
        ] as [(Value, Value)])
    func `lookalikes differ`(left: Value, right: Value) {
        #expect(left != right)
        #expect(left == left && right == right)
    }

    @Test func `not a number is itself`() {
        #expect(Value.double(.nan) == Value.double(.nan))
    }

    @Test(
        arguments: [(0, .int32(0)), (2_147_483_647, .int32(.max)), (2_147_483_648, .int64(2_147_483_648)), (-2_147_483_649, .int64(-2_147_483_649))]
            as [(Int64, Value)])
    func `an integer takes the narrowest type`(number: Int64, expected: Value) {
        #expect(Value(integer: number) == expected)
    }

    @Test(
        arguments: [
            (.int32(-7), -7), (.int64(.max), .max), (.double(3), 3), (.double(3.5), nil), (.double(0x1p63), nil), (.double(.nan), nil), ("3", nil), (true, nil),
        ] as [(Value, Int64?)])
    func `what reads as an integer`(value: Value, expected: Int64?) {
        #expect(value.asInteger == expected)
    }

    @Test func `names are told apart by their bytes`() {
        var document: Document = ["é": 1, "e\u{301}": 2]
        document["é"] = 3
        document["e\u{301}"] = nil
        document["new"] = 4
        document["absent"] = nil
        #expect(document == ["é": 3, "new": 4])
        #expect(document["e\u{301}"] == nil)
    }

    @Test func `binary gives its bytes back`() {
        #expect(Value.binary([1, 2, 3], subtype: 4).asBinary.map(Array.init) == [1, 2, 3])
        #expect(Value.binary([]).asBinary?.isEmpty == true)
        #expect(Value.string("x").asBinary == nil)
    }
}
