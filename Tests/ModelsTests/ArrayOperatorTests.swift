import Events
import Testing
import Values

@testable import Models

@Suite struct ArrayOperatorTests {
    private static func push(_ new: Value, slice: Value? = nil) -> Models.Operator { .push(path("a"), .each(value(new)), slice: slice.map(value)) }

    static let pushes: [Row] = [
        Row(["a": [1]], .push(path("a"), .one(value(2)), slice: nil), .changed(["a": [1, 2]])),
        Row(["a": [1]], .push(path("a"), .one(value([2, 3])), slice: nil), .changed(["a": [1, [2, 3]]])),
        Row(["a": [1]], push([2, 3]), .changed(["a": [1, 2, 3]])),
        Row(["a": [1]], push([1, 1]), .changed(["a": [1, 1, 1]])),
        Row(["a": [1]], push([]), .unchanged),
        Row(["b": 0], push([]), .changed(["b": 0, "a": []])),
        Row(nil, push([1]), .changed(["a": [1]])),
        Row(["a": ["b": [[1]]]], .push(path("a.b.0"), .one(value(2)), slice: nil), .changed(["a": ["b": [[1, 2]]]])),
        // The first, the last, none.
        Row(["a": [1, 2]], push([3, 4], slice: 3), .changed(["a": [1, 2, 3]])),
        Row(["a": [1, 2]], push([3, 4], slice: -3), .changed(["a": [2, 3, 4]])),
        Row(["a": [1, 2]], push([3], slice: 10), .changed(["a": [1, 2, 3]])),
        Row(["a": [1, 2]], push([3], slice: -10), .changed(["a": [1, 2, 3]])),
        Row(["a": [1, 2]], push([3], slice: 0), .changed(["a": []])),
        Row(["a": [1, 2]], push([3], slice: 2.0), .changed(["a": [1, 2]])),
        Row(["a": [1, 2]], push([3], slice: .int32(.min)), .changed(["a": [1, 2, 3]])),
        Row(["a": [1, 2, 3]], push([], slice: -2), .changed(["a": [2, 3]])),
        Row(["a": [1, 2, 3]], push([], slice: 3), .unchanged),
        Row(nil, push([1, 2, 3], slice: -1), .changed(["a": [3]])),
        // Pushing is a change, whatever the slice leaves: the answer must not hang on a comparison of arrays.
        Row(["a": [1, 2]], push([3], slice: 2), .changed(["a": [1, 2]])),
        Row(["a": 1], push([2]), .refused(.badOperand)),
        Row(["a": nil], push([2]), .refused(.badOperand)),
        Row(["a": [1]], push(2), .refused(.badOperand)),
        Row(["a": [1]], push([2], slice: "x"), .refused(.badOperand)),
        Row(["a": [1]], push([2], slice: 1.5), .refused(.badOperand)),
        Row(["a": [1]], push([2], slice: .int64(1 << 40)), .changed(["a": [1, 2]])),
        Row(["a": [1]], push([2], slice: .int64(.min)), .changed(["a": [1, 2]])),
        Row(["a": [1]], push([2], slice: 1e300), .refused(.badOperand)),
        Row(["a": 1], .push(path("a.b"), .one(value(2)), slice: nil), .refused(.badPath)),
    ]

    @Test func `pushing and slicing`() throws { try Row.check(Self.pushes) }

    private static func insert(_ position: Value) -> Models.Operator { .push(path("a"), .each(value([8, 9])), position: value(position)) }

    static let positions: [Row] = [
        Row(["a": [1, 2, 3]], insert(0), .changed(["a": [8, 9, 1, 2, 3]])),
        Row(["a": [1, 2, 3]], insert(1.0), .changed(["a": [1, 8, 9, 2, 3]])),
        Row(["a": [1, 2, 3]], insert(9), .changed(["a": [1, 2, 3, 8, 9]])),
        Row(["a": [1, 2, 3]], insert(.int64(.max)), .changed(["a": [1, 2, 3, 8, 9]])),
        // From the end.
        Row(["a": [1, 2, 3]], insert(-1), .changed(["a": [1, 2, 8, 9, 3]])),
        Row(["a": [1, 2, 3]], insert(-9), .changed(["a": [8, 9, 1, 2, 3]])),
        Row(["a": [1, 2, 3]], insert(.int64(.min)), .changed(["a": [8, 9, 1, 2, 3]])),
        Row(nil, insert(5), .changed(["a": [8, 9]])),
        Row(["a": []], insert(1.5), .refused(.badOperand)), Row(["a": []], insert("x"), .refused(.badOperand)),
        Row(["a": []], insert(nil), .refused(.badOperand)),
    ]

    @Test func `pushing at a position`() throws { try Row.check(Self.positions) }

    private static func sort(_ order: ElementOrder, adding new: Value = [], slice: Value? = nil) -> Models.Operator {
        .push(path("a"), .each(value(new)), slice: slice.map(value), sort: order)
    }
    private static func by(_ fields: (String, ElementOrder.Direction)...) -> ElementOrder {
        .fields(fields.map { ElementOrder.Field(path($0.0), $0.1) })
    }

    static let orders: [Row] = [
        Row(["a": [3, 1, 2]], sort(.whole(.ascending)), .changed(["a": [1, 2, 3]])),
        Row(["a": [1, 2, 3]], sort(.whole(.ascending)), .unchanged),
        Row(["a": [1, 2]], sort(.whole(.descending), adding: [3]), .changed(["a": [3, 2, 1]])),
        // Of all types, and equal ones in their places.
        Row(["a": [3, ["b": 2], "x", [:], nil, [1]]], sort(.whole(.ascending)), .changed(["a": [nil, 3, "x", [:], ["b": 2], [1]]])),
        Row(["a": [1.0, .int64(1), 1, 0]], sort(.whole(.ascending)), .changed(["a": [0, 1.0, .int64(1), 1]])),
        Row(["a": [0, 1.0, .int64(1), 1]], sort(.whole(.descending)), .changed(["a": [1.0, .int64(1), 1, 0]])),
        // First the order, then the slice.
        Row(["a": [3, 1, 2]], sort(.whole(.ascending), adding: [0], slice: 2), .changed(["a": [0, 1]])),
        Row(["a": [3, 1, 2]], sort(.whole(.descending), adding: [0], slice: -2), .changed(["a": [1, 0]])),
        Row(nil, sort(.whole(.ascending), adding: [3, 1, 2]), .changed(["a": [1, 2, 3]])),
        Row(
            ["a": [["b": 1, "k": 0], ["b": 0, "k": 2]]], sort(by(("b", .ascending)), adding: [["b": 1.0, "k": 1]]),
            .changed(["a": [["b": 0, "k": 2], ["b": 1, "k": 0], ["b": 1.0, "k": 1]]])
        ),
        Row(
            ["a": [["b": 1, "c": 1], ["b": 2, "c": 1], ["b": 1, "c": 2]]], sort(by(("b", .descending), ("c", .descending))),
            .changed(["a": [["b": 2, "c": 1], ["b": 1, "c": 2], ["b": 1, "c": 1]]])
        ),
        // What has no such field comes as null, and only documents have fields.
        Row(
            ["a": [["b": 2], 3, [["b": 1]], [:], ["b": nil], ["b": ["c": 1]]]], sort(by(("b", .ascending))),
            .changed(["a": [3, [["b": 1]], [:], ["b": nil], ["b": 2], ["b": ["c": 1]]]])
        ),
        // Through documents and by index, but not into the elements of an array.
        Row(["a": [["b": ["c": 2]], ["b": ["c": 1]]]], sort(by(("b.c", .ascending))), .changed(["a": [["b": ["c": 1]], ["b": ["c": 2]]]])),
        Row(["a": [["b": [5, 0]], ["b": [4, 9]]]], sort(by(("b.0", .ascending))), .changed(["a": [["b": [4, 9]], ["b": [5, 0]]]])),
        Row(["a": [["b": [["c": 3]]], ["b": [["c": 1]]]]], sort(by(("b.c", .ascending))), .unchanged),
        Row(["a": 1], sort(.whole(.ascending)), .refused(.badOperand)),
    ]

    @Test func `sorting`() throws { try Row.check(Self.orders) }

    private static func pop(_ end: Value, _ text: String = "a") -> Models.Operator { .pop(path(text), value(end)) }

    static let ends: [Row] = [
        Row(["a": [1, 2, 3]], pop(1), .changed(["a": [1, 2]])), Row(["a": [1, 2, 3]], pop(-1), .changed(["a": [2, 3]])),
        Row(["a": [1]], pop(1.0), .changed(["a": []])), Row(["a": [1]], pop(.int64(-1)), .changed(["a": []])),
        Row(["a": []], pop(1), .unchanged), Row(["b": 1], pop(1), .unchanged), Row(["b": 1], pop(1, "a.b"), .unchanged),
        Row(["a": [1]], pop(1, "a.3"), .unchanged), Row(["a": [[1, 2]]], pop(1, "a.0"), .changed(["a": [[1]]])),
        Row(["a": [1]], pop(0), .refused(.badOperand)), Row(["a": [1]], pop(2), .refused(.badOperand)), Row([:], pop("1"), .refused(.badOperand)),
        Row(["a": nil], pop(1), .refused(.badOperand)), Row(["a": 5], pop(1, "a.b"), .refused(.badPath)), Row(["a": [1]], pop(1, "a.b"), .refused(.badPath)),
    ]

    @Test func `taking the last or the first`() throws { try Row.check(Self.ends) }

    private static func add(_ new: Value) -> Models.Operator { .addToSet(path("a"), .each(value(new))) }

    static let sets: [Row] = [
        Row(["a": [1]], .addToSet(path("a"), .one(value(2))), .changed(["a": [1, 2]])),
        Row(["a": [1]], .addToSet(path("a"), .one(value([1]))), .changed(["a": [1, [1]]])),
        Row(["a": [1]], .addToSet(path("a"), .one(value(1))), .unchanged),
        // Numbers are equal by value, in arrays and documents as well.
        Row(["a": [1]], add([1.0, .int64(1)]), .unchanged),
        Row(["a": [["x": 1], [2]]], add([["x": 1.0], [2.0]]), .unchanged),
        Row(["a": ["1"]], add([1]), .changed(["a": ["1", 1]])),
        Row(["a": [["x": 1, "y": 2]]], add([["y": 2, "x": 1]]), .changed(["a": [["x": 1, "y": 2], ["y": 2, "x": 1]]])),
        Row(["a": ["é"]], add(["e\u{301}"]), .changed(["a": ["é", "e\u{301}"]])),
        Row(["a": [1]], add([2, 2.0, 3, 1]), .changed(["a": [1, 2, 3]])),
        // What is there stays, duplicates among it.
        Row(["a": [1, 1]], add([2]), .changed(["a": [1, 1, 2]])),
        Row(["a": [nil]], add([nil]), .unchanged),
        Row(["b": 0], add([1, 1.0]), .changed(["b": 0, "a": [1]])),
        Row(nil, add([]), .changed(["a": []])),
        Row(["a": [1]], add([]), .unchanged),
        Row(["a": 1], add([1]), .refused(.badOperand)),
        Row(["a": [1]], add(2), .refused(.badOperand)),
        Row(["a": 1], .addToSet(path("a.b"), .one(value(2))), .refused(.badPath)),
    ]

    @Test func `sets`() throws { try Row.check(Self.sets) }
}
