import Events
import Testing
import Values

@testable import Models

@Suite struct RenameTests {
    private static func rename(_ source: String, _ target: String) -> Models.Operator { .rename(path(source), to: path(target)) }

    /// The answers are those of mongod 6.0.5.
    static let rows: [Row] = [
        Row(["a": 1, "b": 2], rename("a", "c"), .changed(["b": 2, "c": 1])),
        // What has the name is replaced where it stands.
        Row(["a": 1, "b": 2, "c": 3], rename("c", "a"), .changed(["a": 3, "b": 2])),
        Row(["a": 1, "b": 1], rename("a", "b"), .changed(["b": 1])),
        Row(["a": 1, "b": 2], rename("a", "x.y"), .changed(["b": 2, "x": ["y": 1]])),
        Row(["a": ["b": 1, "c": 2]], rename("a.b", "a.c"), .changed(["a": ["c": 1]])),
        Row(["a": ["b": [1]]], rename("a.b", "c"), .changed(["a": [:], "c": [1]])),
        // What is not there is not renamed, wherever it should go.
        Row(["b": 2], rename("a", "c"), .unchanged), Row(["b": 2], rename("a", "b.q"), .unchanged), Row(["b": [1]], rename("a", "b.0"), .unchanged),
        Row(["a": [:]], rename("a.b.c", "c"), .unchanged), Row(nil, rename("a", "c"), .changed([:])),
        Row(["a": [["x": 1]]], rename("a.0.z", "c"), .unchanged), Row(["a": []], rename("a.5", "c"), .unchanged),
        // Elements have no names.
        Row(["a": [1], "b": 2], rename("a.0", "c"), .refused(.badPath)), Row(["a": [["x": 1]]], rename("a.0.x", "c"), .refused(.badPath)),
        Row(["a": [1], "b": 2], rename("b", "a.0"), .refused(.badPath)), Row(["a": [1], "b": 2], rename("b", "a.5"), .refused(.badPath)),
        Row(["a": ["b": [["c": 1]]], "d": 1], rename("d", "a.b.0.e"), .refused(.badPath)),
        // What stands in the way.
        Row(["a": [["x": 1]]], rename("a.x", "c"), .refused(.badPath)), Row(["a": 5], rename("a.q.r", "c"), .refused(.badPath)),
        Row(["a": nil], rename("a.q", "c"), .refused(.badPath)), Row(["a": 1, "b": 2], rename("a", "b.q"), .refused(.badPath)),
    ]

    @Test func `renaming`() throws { try Row.check(Self.rows) }

    @Test func `a value that would lie too deep stays`() throws {
        let before: Document = ["a": nested(179)]
        #expect(try Applied([[Self.rename("a", "b")]], to: before).changed == true)
        #expect(try Applied([[Self.rename("a", "b.c")]], to: before) == Applied(document: before, problem: .documentTooDeep))
    }

    @Test func `operators see the document before it was renamed`() throws {
        let operators: [Models.Operator] = [Self.rename("a", "b"), .set(path("seen"), doc("a")), .set(path("c"), value(1))]
        #expect(try Applied([operators], to: ["a": 5, "c": 0]).document == ["c": 1, "b": 5, "seen": 5])
    }
}
