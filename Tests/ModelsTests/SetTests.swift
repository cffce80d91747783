import Events
import Testing
import Values

@testable import Models

@Suite struct SetTests {
    private static func set(_ text: String, _ new: Value = 9) -> Models.Operator { .set(path(text), value(new)) }

    static let set: [Row] = [
        Row(nil, set("a"), .changed(["a": 9])),
        Row([:], set("a"), .changed(["a": 9])),
        Row(["b": 1, "a": 2, "c": 3], set("a"), .changed(["b": 1, "a": 9, "c": 3])),
        Row(["a": 9], set("a"), .unchanged),
        // Another type is another value.
        Row(["a": 9], set("a", .int64(9)), .changed(["a": .int64(9)])),
        Row(["a": 0.0], set("a", .double(-0.0)), .changed(["a": .double(-0.0)])),
        Row(["a": ["x": 1, "y": 2]], set("a", ["y": 2, "x": 1]), .changed(["a": ["y": 2, "x": 1]])),
        Row(["é": 1], set("e\u{301}"), .changed(["é": 1, "e\u{301}": 9])),
        // Nested, and through parents that are missing.
        Row(["a": ["x": 1, "b": ["c": 2]]], set("a.b.c"), .changed(["a": ["x": 1, "b": ["c": 9]]])),
        Row(["z": 0], set("a.b.c"), .changed(["z": 0, "a": ["b": ["c": 9]]])),
        Row(["a": [:]], set("a.0"), .changed(["a": ["0": 9]])),
        Row([:], set("a.0.b"), .changed(["a": ["0": ["b": 9]]])),
        // Elements of arrays, and beyond their end.
        Row(["a": [1, 2]], set("a.0"), .changed(["a": [9, 2]])),
        Row(["a": [1, 2]], set("a.1"), .changed(["a": [1, 9]])),
        Row(["a": [1, 2]], set("a.2"), .changed(["a": [1, 2, 9]])),
        Row(["a": [1, 2]], set("a.5"), .changed(["a": [1, 2, nil, nil, nil, 9]])),
        Row(["a": [1, 2]], set("a.01"), .changed(["a": [1, 9]])),
        Row(["a": [1]], set("a.1.x"), .changed(["a": [1, ["x": 9]]])),
        Row(["a": [1]], set("a.2.0"), .changed(["a": [1, nil, ["0": 9]]])),
        Row(["a": [["b": 1]]], set("a.0.b"), .changed(["a": [["b": 9]]])),
        Row(["a": [[1, 2]]], set("a.0.1"), .changed(["a": [[1, 9]]])),
        Row(["a": [9]], set("a.0"), .unchanged),
        // Through what has no members.
        Row(["a": 5], set("a.b"), .refused(.badPath)),
        Row(["a": nil], set("a.b"), .refused(.badPath)),
        Row(["a": "text"], set("a.b.c"), .refused(.badPath)),
        Row(["a": [1, 2]], set("a.b"), .refused(.badPath)),
        Row(["a": [1, 2]], set("a.-1"), .refused(.badPath)),
        Row(["a": [1, 2]], set("a.1.x"), .refused(.badPath)),
        Row(["a": [1, 2]], set("a.99999999999999999999"), .refused(.badPath)),
    ]

    @Test func `values, parents, indexes and padding`() throws { try Row.check(Self.set) }

    @Test func `an array is padded as far as MongoDB pads it`() throws {
        let farthest = try Applied([[Self.set("a.1500001")]], to: ["a": [1]])
        #expect(farthest.document?["a"]?.asArray?.count == 1_500_002)
        #expect(try Applied([[Self.set("a.1500002")]], to: ["a": [1]]).problem == .badPath)
    }

    static let unset: [Row] = [
        Row(["a": 1, "b": 2, "c": 3], .unset(path("b")), .changed(["a": 1, "c": 3])),
        Row(["a": ["b": 1]], .unset(path("a.b")), .changed(["a": [:]])),
        Row(["a": nil], .unset(path("a")), .changed([:])),
        Row(["a": 1], .unset(path("b")), .unchanged),
        Row(["a": 1], .unset(path("b.c")), .unchanged),
        Row(["a": ["b": 1]], .unset(path("a.c.d")), .unchanged),
        // An element leaves a null, so that the others keep their places.
        Row(["a": [1, 2, 3]], .unset(path("a.1")), .changed(["a": [1, nil, 3]])),
        Row(["a": [1]], .unset(path("a.00")), .changed(["a": [nil]])),
        Row(["a": [["x": 1, "y": 2]]], .unset(path("a.0.x")), .changed(["a": [["y": 2]]])),
        Row(["a": [1]], .unset(path("a.1")), .unchanged),
        // What stands in the way means that nothing is there.
        Row(["a": 5], .unset(path("a.b")), .unchanged),
        Row(["a": [1]], .unset(path("a.b")), .unchanged),
        Row(["a": [1]], .unset(path("a.0.b")), .unchanged),
        // An effect makes the document that it does not find.
        Row(nil, .unset(path("a")), .changed([:])),
    ]

    @Test func `removing`() throws { try Row.check(Self.unset) }

    private static func insert(_ text: String, _ new: Models.Expression = value(9)) -> Models.Operator { .setOnInsert(path(text), new) }

    static let inserted: [Row] = [
        Row(nil, insert("a.b"), .changed(["a": ["b": 9]])),
        Row([:], insert("a.b"), .unchanged),
        Row(["a": 1], insert("a"), .unchanged),
        Row(["a": 1], insert("a.b"), .unchanged),
        Row(["a": [1]], insert("a.5"), .unchanged),
        // It is not asked for its value either.
        Row(["a": 1], insert("b", data("absent")), .unchanged),
        Row(nil, insert("b", data("absent")), .refused(.missingValue)),
    ]

    @Test func `setting when the document is made`() throws { try Row.check(Self.inserted) }

    @Test func `a document that an effect before it made was there`() throws {
        let effects: [[Models.Operator]] = [[.set(path("a"), value(1)), Self.insert("b")], [Self.insert("c")], [.delete], [Self.insert("d")]]
        #expect(try Applied(Array(effects.prefix(2)), to: nil).document == ["a": 1, "b": 9])
        #expect(try Applied(effects, to: nil).document == ["d": 9])
    }
}
