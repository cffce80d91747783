import Testing
import Values

@Suite struct SumTests {
    @Test(
        arguments: [
            (1, 2, 3), (.int32(.max), 1, .int64(2_147_483_648)), (.int32(.min), -1, .int64(-2_147_483_649)), (.int32(1), .int64(0), .int64(1)),
            (.int64(1), .int32(-1), .int64(0)), (.int64(.max), .int64(-1), .int64(.max - 1)), (.int64(.max), .int64(.min), .int64(-1)),
            (1, 0.5, 1.5), (0.5, 1, 1.5), (.int64(1 << 53), 0.0, .double(0x1p53)), (0.5, .int64(2), 2.5), (0.25, 0.5, 0.75),
            (.double(.greatestFiniteMagnitude), .double(.greatestFiniteMagnitude), .double(.infinity)),
        ] as [(Value, Value, Value)])
    func `types and values of sums`(left: Value, right: Value, sum: Value) throws {
        #expect(try Value.sum(left, right) == sum)
    }

    @Test(arguments: [(.int64(.max), 1), (.int64(.min), .int64(-1)), (.int32(1), .int64(.max))] as [(Value, Value)])
    func `what leaves int64 is refused`(left: Value, right: Value) {
        #expect(throws: ArithmeticError.overflow) { try Value.sum(left, right) }
    }

    @Test(
        arguments: [
            (1, "x", "string"), ("x", 1, "string"), (nil, 1, "null"), (1.5, [1], "array"), (.int64(1), true, "bool"), (.date(0), 1, "date"), (1, [:], "object"),
            (.decimal(.zero), "x", "string"), (nil, .decimal(.zero), "null"),
        ] as [(Value, Value, String)])
    func `what is no number is named`(left: Value, right: Value, type: String) {
        #expect(throws: ArithmeticError.notANumber(type)) { try Value.sum(left, right) }
    }
}
