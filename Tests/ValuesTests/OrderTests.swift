import Fixtures
import Testing

@testable import Values

@Suite struct OrderTests {
    /// One row for each rank: every value of a row is equal to the others of it, and below those of the next.
    static let ranks: [[Value]] =
        [[.other(OpaqueValue(type: BSONType.minKey, bytes: []))], [.other(OpaqueValue(type: BSONType.undefined, bytes: []))], [.null]]
        + numbers + texts + documents + arrays + bytes
        + [[false], [true], [.date(.min)], [.date(-1)], [.date(0)], [.date(.max)]]
        + [
            // By time, then counter: the least significant byte is stored first.
            [.other(OpaqueValue(type: BSONType.timestamp, bytes: [255, 0, 0, 0, 1, 0, 0, 0]))],
            [.other(OpaqueValue(type: BSONType.timestamp, bytes: [0, 1, 0, 0, 1, 0, 0, 0]))],
            [.other(OpaqueValue(type: BSONType.timestamp, bytes: [0, 0, 0, 0, 0, 0, 0, 0x80]))],
            [.other(OpaqueValue(type: BSONType.regex, bytes: Array("a\0i\0".utf8)))],
            [.other(OpaqueValue(type: BSONType.regex, bytes: Array("ab\0\0".utf8)))],
            [.other(text("b", BSONType.javascript))], [.other(text("ba", BSONType.javascript))], [.other(text("c", BSONType.javascript))],
            [.other(OpaqueValue(type: BSONType.maxKey, bytes: []))],
        ]

    static let numbers: [[Value]] = [
        [.double(.nan), .double(-.nan)], [.double(-.infinity)], [.double(-0x1.0000000000001p63)], [.int64(.min), .double(-0x1p63)], [.int64(.min + 1)],
        [.int32(-1), .int64(-1), .double(-1)], [.double(-.leastNonzeroMagnitude)], [.int32(0), .int64(0), .double(0), .double(-0.0)],
        [.double(.leastNonzeroMagnitude)], [.double(0.5)], [.int32(1), .int64(1), .double(1)], [.double(1.5)], [.int32(2)],
        // Beyond 2^53 a double no longer tells neighbours apart: neither side may be rounded to the other's type.
        [.int64((1 << 53) - 1), .double(0x1p53 - 1)], [.int64(1 << 53), .double(0x1p53)], [.int64((1 << 53) + 1)],
        [.int64((1 << 53) + 2), .double(0x1p53 + 2)],
        [.double(0x1p63 - 1024)], [.int64(.max - 1)], [.int64(.max)], [.double(0x1p63)], [.double(.infinity)],
    ]

    static let texts: [[Value]] = [
        [""], ["\u{0}"], ["A"], ["a", .other(text("a", BSONType.symbol))], ["a\u{0}"], ["aa"], ["b"], [.other(text("ba", BSONType.symbol))], ["e\u{301}"],
        ["é"], ["😀"],
    ]

    /// Field by field: type, then name, then value.
    static let documents: [[Value]] = [
        [[:]], [["z": nil]], [["a": 1], ["a": 1.0]], [["a": 1, "b": 1]], [["a": 2]], [["b": 1]], [["b": 1, "a": 0]], [["a": "x"]], [["a": [:]]], [["a": false]],
    ]

    static let arrays: [[Value]] = [[[]], [[nil]], [[1], [1.0]], [[1, 1]], [[2]], [["x"]], [[[]]], [[true]]]

    /// Binary by length, subtype, bytes.
    static let bytes: [[Value]] = [
        [.binary([255])], [.binary([0], subtype: 5)], [.binary([0, 0])], [.binary([0, 1])],
        [.other(OpaqueValue(type: BSONType.objectId, bytes: [UInt8](repeating: 0, count: 12)))],
        [.other(OpaqueValue(type: BSONType.objectId, bytes: [1] + [UInt8](repeating: 0, count: 11)))],
    ]

    private static func text(_ text: String, _ type: UInt8) -> OpaqueValue {
        var bytes: [UInt8] = []
        BSON.append(Int32(text.utf8.count + 1), to: &bytes)
        return OpaqueValue(type: type, bytes: bytes + Array(text.utf8) + [0])
    }

    @Test func `every value against every other`() {
        for (leftRank, lefts) in Self.ranks.enumerated() {
            for (rightRank, rights) in Self.ranks.enumerated() {
                for (left, right) in lefts.flatMap({ left in rights.map { (left, $0) } }) {
                    let expected = leftRank < rightRank ? -1 : (leftRank > rightRank ? 1 : 0)
                    #expect(Value.order(left, right).signum() == expected, "\(left) against \(right)")
                    #expect(left.matches(right) == (expected == 0), "\(left) against \(right)")
                }
            }
        }
    }

    @Test(arguments: Seed.ofThisRun) func `random values have one order`(seed: Seed) {
        var random = Random(seed)
        for _ in 0..<200 {
            let sorted = (0..<12).map { _ in random.value(.bson, depth: 2) }.sorted { Value.order($0, $1) < 0 }
            for (place, left) in sorted.enumerated() {
                for right in sorted[place...] {
                    #expect(Value.order(left, right) <= 0, "\(left) against \(right)")
                    #expect(Value.order(right, left) >= 0, "\(right) against \(left)")
                }
            }
        }
    }
}
