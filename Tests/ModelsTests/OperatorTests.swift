import EventFixtures
import Events
import Testing
import Values

@testable import Models

/// What operators of expressions give without a mongod at hand. The comparison with one covers them all; here stands what a
/// change must not touch unnoticed, and what happens to the event.
@Suite struct OperatorTests {
    private static let before: Document = [
        "n": 5, "half": 2.5, "text": " Déjà vu ", "list": [3, 1, 2], "items": [["price": 2, "count": 3], ["price": 5, "count": 1]], "at": .date(1000),
        "none": nil,
    ]

    private func evaluate(_ expression: Models.Expression) throws -> (value: Value?, problem: Problem?) {
        let applied = try Applied([[.set(path("result"), expression)]], to: Self.before)
        return (applied.document?["result"], applied.problem)
    }

    private static func apply(_ name: String, _ arguments: Models.Expression?..., names: [String] = []) throws -> Models.Expression {
        .apply(Application(try #require(ExpressionOperator.all[name]), arguments, names: names))
    }

    @Test func `operators give values`() throws {
        let price: Models.Expression = .variable(name: "item", path: ["price"])
        let total: Models.Expression = try Self.apply("$multiply", price, .variable(name: "item", path: ["count"]))
        let rows: [(Models.Expression, Value)] = [
            (try Self.apply("$add", doc("n"), value(.int32(.max))), .int64(Int64(Int32.max) + 5)), (try Self.apply("$add", doc("at"), doc("n")), .date(1005)),
            (try Self.apply("$add", value(.int64(.max)), value(1)), .double(0x1p63)), (try Self.apply("$divide", doc("n"), value(2)), 2.5),
            (try Self.apply("$round", doc("half")), 2.0), (try Self.apply("$round", value(1.005), value(2)), 1.0),
            (try Self.apply("$mod", value(-7), value(3)), -1), (try Self.apply("$pow", value(2), value(62)), .int64(1 << 62)),
            (try Self.apply("$cmp", doc("none"), doc("absent")), 1), (try Self.apply("$eq", value(1), value(1.0)), true),
            (try Self.apply("$or", value(true), Self.apply("$divide", value(1), value(0))), true),
            (try Self.apply("$cond", doc("n"), value("yes"), Self.apply("$divide", value(1), value(0))), "yes"),
            (try Self.apply("$ifNull", doc("absent"), doc("none"), doc("n")), 5), (try Self.apply("$switch", value(false), value(1), value(2)), 2),
            (try Self.apply("$trim", doc("text"), nil), "Déjà vu"), (try Self.apply("$strLenBytes", doc("text")), 11),
            (try Self.apply("$substrCP", doc("text"), value(1), value(4)), "Déjà"), (try Self.apply("$toUpper", doc("text")), " DéJà VU "),
            (try Self.apply("$map", doc("items"), nil, total, names: ["item"]), [6, 5]),
            (
                try Self.apply("$reduce", doc("list"), value(0), Self.apply("$add", .variable(name: "value", path: []), .variable(name: "this", path: []))), 6
            ),
            (try Self.apply("$filter", doc("items"), nil, Self.apply("$gt", price, value(2)), nil, names: ["item"]), [["price": 5, "count": 1]]),
            (try Self.apply("$let", doc("n"), Self.apply("$add", .variable(name: "x", path: []), value(1)), names: ["x"]), 6),
            (try Self.apply("$sortArray", doc("list"), value(-1)), [3, 2, 1]), (try Self.apply("$sum", doc("items", "price")), 7),
            (try Self.apply("$mergeObjects", value(["a": 1]), value(["a": 2, "b": 3])), ["a": 2, "b": 3]),
            (try Self.apply("$setUnion", doc("list"), value([2, 9])), [1, 2, 3, 9]), (try Self.apply("$type", doc("absent")), "missing"),
            (try Self.apply("$toInt", value("-12")), -12), (try Self.apply("$convert", value("x"), value("int"), value(0), nil), 0),
        ]
        for (expression, expected) in rows {
            let found = try evaluate(expression)
            #expect(found.value == expected && found.problem == nil, "\(expression): \(found)")
        }
    }

    @Test func `what an operator does not take parks the event, and nothing is missing`() throws {
        let rows: [(Models.Expression, Problem)] = [
            (try Self.apply("$add", doc("text"), value(1)), .badOperand), (try Self.apply("$divide", value(1), value(0)), .badOperand),
            (try Self.apply("$abs", value(.int64(.min))), .numberOverflow), (try Self.apply("$switch", value(false), value(1), nil), .badOperand),
            (try Self.apply("$first", value([])), .missingValue), (try Self.apply("$size", doc("none")), .badOperand),
            (try Self.apply("$range", value(0), value(.int32(.max))), .badOperand),
            (
                try Self.apply("$reduce", Self.apply("$range", value(0), value(300)), value(0), .array([.variable(name: "value", path: [])])),
                .documentTooDeep
            ),
        ]
        for (expression, problem) in rows { #expect(try evaluate(expression).problem == problem, "\(expression)") }
    }

    @Test func `an operator reads the document when one of its arguments does`() throws {
        #expect(Effect([.set(path("a"), try Self.apply("$abs", doc("n")))]).plan.readsDocument)
        #expect(!Effect([.set(path("a"), try Self.apply("$abs", data("n")))]).plan.readsDocument)
    }
}
