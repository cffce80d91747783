import Events
import Testing
import Values

@testable import Models

@Suite struct PullTests {
    private static func pull(_ wanted: Value, _ text: String = "a") -> Models.Operator { .pull(path(text), value(wanted)) }

    static let equal: [Row] = [
        Row(["a": [1, 2, 1]], pull(1), .changed(["a": [2]])),
        Row(["a": [1, 1.0, .int64(1), "1"]], pull(1), .changed(["a": ["1"]])),
        Row(["a": [1, 2]], pull(3), .unchanged),
        Row(["a": []], pull(3), .unchanged),
        Row(["a": [nil, 1]], pull(nil), .changed(["a": [1]])),
        Row(["a": [[1, 2], [1.0, 2], [2, 1], 1]], pull([1, 2]), .changed(["a": [[2, 1], 1]])),
        Row(["a": ["b": [1, 2]]], pull(1, "a.b"), .changed(["a": ["b": [2]]])),
        Row(["a": [[1, 2]]], pull(1, "a.0"), .changed(["a": [[2]]])),
        // Nothing to take from.
        Row(["b": 1], pull(1), .unchanged),
        Row(["b": [:]], pull(1, "b.c.d"), .unchanged),
        Row(["a": [[1]]], pull(1, "a.5"), .unchanged),
        Row(nil, pull(1), .changed([:])),
        // What stands in the way is refused, unlike with $unset.
        Row(["a": 1], pull(1), .refused(.badOperand)),
        Row(["a": nil], pull(1), .refused(.badOperand)),
        Row(["a": 1], pull(1, "a.b"), .refused(.badPath)),
        Row(["a": nil], pull(1, "a.b"), .refused(.badPath)),
        Row(["a": [1]], pull(1, "a.b"), .refused(.badPath)),
        Row(["a": [1]], pull(1, "a.0.b"), .refused(.badPath)),
    ]

    @Test func `scalars and arrays by equality`() throws { try Row.check(Self.equal) }

    static let members: [Row] = [
        Row(["a": [["x": 1, "y": 2], ["x": 1], ["x": 2]]], pull(["x": 1]), .changed(["a": [["x": 2]]])),
        Row(["a": [["x": 1, "y": 2], ["y": 2, "x": 1.0], ["x": 1]]], pull(["x": 1, "y": 2]), .changed(["a": [["x": 1]]])),
        Row(["a": [["x": 1], 1, nil, [["x": 1]]]], pull(["x": 1]), .changed(["a": [1, nil, [["x": 1]]]])),
        Row(["a": [[:], 5, ["x": 1], []]], pull([:]), .changed(["a": [5, []]])),
        // A member that is a document is equal as a whole, with its order.
        Row(["a": [["x": ["b": 1, "c": 2]], ["x": ["c": 2, "b": 1]]]], pull(["x": ["b": 1, "c": 2]]), .changed(["a": [["x": ["c": 2, "b": 1]]]])),
        // A member that is an array has each of its elements.
        Row(["a": [["x": [1, 2]], ["x": 1], ["x": [[1]]]]], pull(["x": 1]), .changed(["a": [["x": [[1]]]]])),
        Row(["a": [["x": [1, 2]], ["x": 1], ["x": [[1, 2]]]]], pull(["x": [1, 2]]), .changed(["a": [["x": 1]]])),
        // What is missing is null.
        Row(["a": [["x": 1], ["x": nil], [:], ["x": [1, nil]]]], pull(["x": nil]), .changed(["a": [["x": 1]]])),
        Row(["a": [["x": 1]]], pull(["y": 1]), .unchanged),
    ]

    @Test func `documents by their members`() throws { try Row.check(Self.members) }

    /// The value of `x`, and what is wanted of a path through it; the answers are those of mongod 6.0.5.
    static let dotted: [(Value, Document, Bool)] = [
        (["y": 1], ["x.y": 1], true), (["y": 2], ["x.y": 1], false), ([["y": 1], ["y": 2]], ["x.y": 2], true), ([["y": [1]]], ["x.y": 1], true),
        ([["y": 1]], ["x.y": [1]], false), (["y": []], ["x.y": nil], false), (5, ["x.y": nil], true), ([5], ["x.y": nil], false), ([], ["x.y": nil], false),
        ([5, [:]], ["x.y": nil], true), ([[[:]]], ["x.y": nil], false), ([["y": 2]], ["x.y": nil], false),
        ([1], ["x.0": 1], true), ([1], ["x.00": 1], false), ([1], ["x.1": nil], false), ([["0": 5]], ["x.0": 5], true), ([[1]], ["x.0": 1], false),
        ([["y": 1]], ["x.0.y": 1], true), ([[["y": 1]]], ["x.0.y": 1], true), ([["y": 1]], ["x.1.y": nil], true),
        ([5], ["x.0.y": nil], false), ([[5]], ["x.0.y": nil], false), ([[[:]]], ["x.0.y": nil], true),
    ]

    @Test func `members by dotted names`() throws {
        for (found, wanted, isPulled) in Self.dotted {
            let applied = try Applied([[Self.pull(.document(wanted))]], to: ["a": [["x": found]]])
            #expect(applied.changed == isPulled, "\(JSON.write(.document(wanted))) of \(JSON.write(found))")
        }
        // A name with dots is found by nobody.
        #expect(try Applied([[Self.pull(["x.y": 1])]], to: ["a": [["x.y": 1]]]).changed == false)
    }
}
