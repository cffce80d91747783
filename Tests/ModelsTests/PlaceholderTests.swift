import Events
import Testing
import Values

@testable import Models

/// `$[]` and `$[name]`. The answers are those of mongod 6.0.5.
@Suite struct PlaceholderTests {
    private static func add(_ text: String, _ amount: Value = 1) -> Models.Operator { .increment(path(text), value(amount)) }

    static let every: [Row] = [
        Row(["a": [1, 2]], add("a.$[]"), .changed(["a": [2, 3]])), Row(["a": []], add("a.$[]"), .unchanged),
        Row(["a": [["x": 1], ["y": 2]]], add("a.$[].x"), .changed(["a": [["x": 2], ["y": 2, "x": 1]]])),
        Row(["a": [[1, 2], [3]]], add("a.$[].$[]"), .changed(["a": [[2, 3], [4]]])),
        Row(["a": [1, 2]], .unset(path("a.$[]")), .changed(["a": [nil, nil]])),
        Row(["a": [["x": 1], 5]], .unset(path("a.$[].x")), .changed(["a": [[:], 5]])),
        Row(["a": [[1], [1, 2]]], .pull(path("a.$[]"), value(1)), .changed(["a": [[], [2]]])),
        // There must be an array, even for those who mind nothing else.
        Row(["b": 1], add("a.$[]"), .refused(.badPath)), Row(nil, add("a.$[]"), .refused(.badPath)), Row(["a": 5], add("a.$[]"), .refused(.badPath)),
        Row(["a": [:]], .unset(path("a.$[]")), .refused(.badPath)), Row(["b": 1], .unset(path("a.$[]")), .refused(.badPath)),
        Row(["a": [[1], 3]], .unset(path("a.$[].$[]")), .refused(.badPath)), Row(["a": [5]], .unset(path("a.$[].b.$[]")), .refused(.badPath)),
        Row(["a": 1], .setOnInsert(path("a.$[]"), value(1)), .refused(.badPath)),
        // One element that cannot be changed undoes the others.
        Row(["a": [1, "x"]], add("a.$[]"), .refused(.badOperand)), Row(["a": [["x": 1], 5]], add("a.$[].x"), .refused(.badPath)),
        // An operand that nothing asks for is looked at all the same.
        Row(["a": []], add("a.$[]", "x"), .refused(.badOperand)), Row(["a": []], .set(path("a.$[]"), data("absent")), .refused(.missingValue)),
    ]

    @Test func `every element`() throws { try Row.check(Self.every) }

    private static func filter(_ name: String, _ path: String..., is comparison: Comparison, _ wanted: Models.Expression) -> ArrayFilter {
        ArrayFilter(name, .member(path, .compares(comparison, wanted)))
    }

    private func apply(_ operators: [Models.Operator], _ filters: [ArrayFilter], to document: Document, data: Value = [:]) throws -> Applied {
        try Applied(effects: [Effect(operators, filters: filters)], to: document, data: data)
    }

    @Test func `elements that a filter finds, as they were before the effect`() throws {
        let before: Document = ["a": [["n": 4, "m": 1], ["n": 6, "m": 2]], "limit": 5]
        let filters = [Self.filter("x", "n", is: .greaterOrEqual, doc("limit"))]
        #expect(try apply([Self.add("a.$[x].n", -2), Self.add("a.$[x].m")], filters, to: before).document?["a"] == [["n": 4, "m": 1], ["n": 4, "m": 3]])
        #expect(try apply([Self.add("a.$[].n"), Self.add("a.$[x].m")], filters, to: before).document?["a"] == [["n": 5, "m": 1], ["n": 7, "m": 3]])
        let none = [Self.filter("x", is: .equal, data("n"))]
        #expect(try apply([.set(path("a.$[x]"), value(0))], none, to: before, data: ["n": 9]) == Applied(document: before, changed: false))
        #expect(try apply([.set(path("a.$[x]"), value(0))], none, to: before).problem == .missingValue)
    }

    @Test func `placeholders that meet in an element park the event`() throws {
        let filters = [Self.filter("x", "n", is: .greaterOrEqual, value(5)), Self.filter("y", is: .equal, value(1))]
        let both: [Models.Operator] = [Self.add("a.$[].n"), Self.add("a.$[x].n")]
        let apart: Document = ["a": [["n": 4], ["n": 3]]]
        let together: Document = ["a": [["n": 4], ["n": 5]]]
        #expect(try apply(both, filters, to: apart).document == ["a": [["n": 5], ["n": 4]]])
        #expect(try apply(both, filters, to: together) == Applied(document: together, problem: .pathConflict))
        let inner: Document = ["a": [["n": 6, "b": []]]]
        #expect(try apply([Self.add("a.$[].b.$[]"), Self.add("a.$[x].b.$[]")], filters, to: inner).problem == .pathConflict)
        #expect(try apply([Self.add("a.$[].b.$[]"), Self.add("a.$[x].b.$[y]")], filters, to: inner).changed == false)
        #expect(try apply([.set(path("a.$[].b.c"), value(1)), .set(path("a.$[x].b"), value(1))], filters, to: inner).problem == .pathConflict)
    }

    @Test func `a filter that is not there parks the event`() throws {
        #expect(try apply([Self.add("a.$[x]")], [], to: ["a": [1]]).problem == .badPath)
        #expect(try apply([Self.add("$[].a")], [], to: ["a": [1]]).problem == .badPath)
    }
}
