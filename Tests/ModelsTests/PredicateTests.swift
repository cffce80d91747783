import Events
import Testing
import Values

@testable import Models

/// Which of these elements a condition finds; the answers are those of mongod 6.0.5.
@Suite struct PredicateTests {
    private static let elements: [Value] = [
        5, 6, "x", nil, [5, 6], [], [[5]], ["b": 5], ["b": [5, 6]], ["b": nil], [:], ["b": ["c": 5]], ["b": [["c": 5]]], [["b": 5]], 5.0, ["c": 1], [nil],
    ]

    static let whole: [(Predicate<Value>, [Value])] = [
        (.member([], .compares(.equal, 5)), [5, [5, 6], 5.0]), (.member([], .compares(.greater, 5)), [6, [5, 6]]),
        (.member([], .compares(.greaterOrEqual, 5)), [5, 6, [5, 6], 5.0]), (.member([], .compares(.less, 6)), [5, [5, 6], 5.0]),
        (.member([], .compares(.lessOrEqual, 5)), [5, [5, 6], 5.0]),
        // Only values of one type are compared; null is what is missing.
        (.member([], .compares(.greater, "a")), ["x"]), (.member([], .compares(.greaterOrEqual, nil)), [nil, [nil]]),
        (.member([], .compares(.less, nil)), []), (.member([], .compares(.greaterOrEqual, true)), []),
        (.member([], .compares(.equal, .double(.nan))), []), (.member([], .compares(.greater, [5])), [[5, 6], [[5]], [["b": 5]]]),
        (.member([], .compares(.equal, ["b": 5])), [["b": 5], [["b": 5]]]), (.member([], .compares(.equal, [5, 6])), [[5, 6]]),
        (.member([], .isIn([5, "x"])), [5, "x", [5, 6], 5.0]), (.member([], .isIn([])), []),
        (.not(.member([], .exists)), []),
        // One element of an array, looked at whole.
        (.member([], .hasElement(.member([], .compares(.greaterOrEqual, 5)))), [[5, 6]]),
        (.member([], .hasElement(.not(.member([], .compares(.greater, 1))))), [[[5]], [["b": 5]], [nil]]),
        (.member([], .hasElement(.member([], .hasElement(.member([], .compares(.greater, 1)))))), [[[5]]]),
        (.member([], .hasDocument(.member(["b"], .compares(.equal, 5)))), [[["b": 5]]]), (.member([], .hasDocument(.all([]))), [[[5]], [["b": 5]]]),
        (.member([], .hasDocument(.member(["0"], .compares(.equal, 5)))), [[[5]]]),
    ]

    static let below: [(Predicate<Value>, [Value])] = [
        (.member(["b"], .compares(.equal, 5)), [["b": 5], ["b": [5, 6]], [["b": 5]]]), (.member(["b"], .compares(.greater, 5)), [["b": [5, 6]]]),
        (.member(["b"], .compares(.equal, nil)), [5, 6, "x", nil, ["b": nil], [:], 5.0, ["c": 1]]),
        (.member(["b"], .exists), [["b": 5], ["b": [5, 6]], ["b": nil], ["b": ["c": 5]], ["b": [["c": 5]]], [["b": 5]]]),
        (.member(["b"], .hasElement(.member([], .compares(.less, 6)))), [["b": [5, 6]]]), (.member(["b"], .hasDocument(.all([]))), [["b": [["c": 5]]]]),
        (.member(["b", "c"], .compares(.equal, 5)), [["b": ["c": 5]], ["b": [["c": 5]]]]), (.member(["b", "0"], .compares(.equal, 5)), [["b": [5, 6]]]),
        (.member(["0"], .exists), [[5, 6], [[5]], [["b": 5]], [nil]]), (.member(["0"], .compares(.equal, 5)), [[5, 6]]),
        (.any([.member([], .compares(.equal, 6)), .member(["c"], .exists)]), [6, [5, 6], ["c": 1]]),
        (.all([.member(["b"], .exists), .not(.member(["b"], .compares(.equal, 5)))]), [["b": nil], ["b": ["c": 5]], ["b": [["c": 5]]]]),
    ]

    @Test func `conditions`() {
        for (predicate, found) in Self.whole + Self.below { #expect(Self.elements.filter(predicate.finds) == found, "\(predicate)") }
    }

    @Test func `numbers that are none`() {
        let numbers: [Value] = [.double(.nan), 1, .double(-.infinity)]
        let rows: [(Comparison, Value, [Value])] = [
            (.equal, .double(.nan), [.double(.nan)]), (.lessOrEqual, .double(.nan), [.double(.nan)]), (.less, .double(.nan), []), (.greater, .double(.nan), []),
            (.less, 5, [1, .double(-.infinity)]), (.lessOrEqual, 5, [1, .double(-.infinity)]),
            (.greaterOrEqual, .double(-.infinity), [1, .double(-.infinity)]),
        ]
        for (comparison, wanted, found) in rows {
            #expect(numbers.filter { Predicate.member([], .compares(comparison, wanted)).finds($0) } == found, "\(comparison) \(wanted)")
        }
    }

    private static func pull(_ condition: Models.Operator.Condition) -> Models.Operator { .pull(path("a"), where: condition) }

    static let pulls: [Row] = [
        Row(["a": [1, [9, 1], 7, "x"]], pull(.element(.member([], .compares(.greater, value(5))))), .changed(["a": [1, "x"]])),
        Row(
            ["a": [["n": 1], ["n": 7], 7, [["n": 7]]]], pull(.members(.member(["n"], .compares(.greater, value(5))))),
            .changed(["a": [["n": 1], 7, [["n": 7]]]])),
        // Tests of members are for documents alone.
        Row(["a": [5, [:], []]], pull(.members(.not(.member(["n"], .exists)))), .changed(["a": [5, []]])),
        Row(["a": [1]], pull(.element(.member([], .isIn(value(1))))), .refused(.badOperand)),
        Row(["a": 1], pull(.element(.member([], .exists))), .refused(.badOperand)), Row([:], pull(.element(.member([], .exists))), .unchanged),
        Row(["a": [1, 1.0, [1], ["b": 1, "c": 2]]], .pullAll(path("a"), value([1, ["b": 1]])), .changed(["a": [[1], ["b": 1, "c": 2]]])),
        Row(["a": [["b": 1]]], .pullAll(path("a"), value([["b": 1.0], nil])), .changed(["a": []])),
        Row(["a": [1]], .pullAll(path("a"), value([])), .unchanged), Row([:], .pullAll(path("a"), value([1])), .unchanged),
        Row(["a": nil], .pullAll(path("a"), value([])), .refused(.badOperand)), Row(["a": [1]], .pullAll(path("a"), value(1)), .refused(.badOperand)),
    ]

    @Test func `taking out by conditions`() throws { try Row.check(Self.pulls) }
}
