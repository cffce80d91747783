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
        Row(["a": [1]], push([2], slice: .int64(1 << 31)), .refused(.badOperand)),
        Row(["a": 1], .push(path("a.b"), .one(value(2)), slice: nil), .refused(.badPath)),
    ]

    @Test func `pushing and slicing`() throws { try Row.check(Self.pushes) }

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
