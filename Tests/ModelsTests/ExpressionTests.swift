import Events
import Testing
import Values

@testable import Models

@Suite struct ExpressionTests {
    private static let before: Document = [
        "a": 1, "none": nil, "list": [["x": 1], ["x": [2]], ["y": 3], 4, [["x": 5]]], "inner": ["deep": ["x": "found"], "0": "zero"],
    ]

    private static let event: Value = ["n": 5, "none": nil, "items": [["x": 1], [:]]]

    private func read(_ expression: Models.Expression) throws -> Value? {
        let applied = try Applied([[.set(path("result"), expression)]], to: Self.before, data: Self.event)
        if let problem = applied.problem { #expect(problem == .missingValue) }
        return applied.document?["result"]
    }

    static let rows: [(Models.Expression, Value?)] = [
        (value(7), 7), (value(["$ref": "plain"]), ["$ref": "plain"]),
        (data("n"), 5), (data("none"), .null), (data("absent"), nil), (data("n", "x"), nil), (data("items", "x"), [1]), (data(), event),
        (.event(name: .key, path: []), "k"), (.event(name: .eventType, path: []), "changed"), (.event(name: .occurredAt, path: []), .date(1000)),
        (.event(name: .schemaVersion, path: []), nil),
        (doc("a"), 1), (doc("none"), .null), (doc("absent"), nil), (doc("a", "x"), nil), (doc("inner", "deep", "x"), "found"),
        (doc("inner", "absent", "x"), nil),
        (doc("_id"), "k"), (doc("_id", "x"), nil), (doc("_position"), nil), (doc("inner", "0"), "zero"),
        // As an aggregation reads it: each element that is a document, no index, nothing inside an inner array.
        (doc("list", "x"), [1, [2]]), (doc("list", "0"), []), (doc("list", "z"), []),
        (.array([value(1), data("absent"), data("n")]), [1, nil, 5]), (.array([]), []),
        (.object([.init("b", data("n")), .init("missing", data("absent")), .init("a", value(1))]), ["b": 5, "a": 1]), (.object([]), [:]),
        (.object([.init("o", .object([.init("x", doc("absent"))]))]), ["o": [:]]),
    ]

    @Test func `what expressions read`() throws {
        for (expression, expected) in Self.rows { #expect(try read(expression) == expected, "\(expression)") }
    }

    @Test func `the whole document begins with its key`() throws {
        #expect(try read(doc()) == .document(Document([.init("_id", "k")] + Self.before.fields)))
        #expect(try Applied([[.set(path("copy"), doc())]], to: nil).document == ["copy": ["_id": "k"]])
    }

    @Test func `a missing value parks the event, whichever operator asks for it`() throws {
        let absent = data("absent")
        let operators: [Models.Operator] = [
            .set(path("a"), absent), .increment(path("a"), absent), .minimum(path("a"), absent), .maximum(path("a"), absent),
            .push(path("p"), .one(absent), slice: nil), .push(path("p"), .each(absent), slice: nil), .push(path("p"), .one(value(1)), slice: absent),
            .addToSet(path("p"), .one(absent)), .addToSet(path("p"), .each(absent)), .pull(path("p"), absent),
            .multiply(path("a"), absent), .bit(path("a"), [(.or, value(1)), (.and, absent)]), .push(path("p"), .one(value(1)), position: absent),
            .pullAll(path("p"), absent), .pop(path("p"), absent), .pull(path("p"), where: .element(.member([], .compares(.less, absent)))),
            .pull(path("p"), where: .members(.not(.any([.member(["x"], .hasElement(.all([.member([], .isIn(absent))])))])))),
        ]
        for op in operators { #expect(try Applied([[op]], to: ["a": 1]) == Applied(document: ["a": 1], problem: .missingValue), "\(op)") }
    }

    @Test func `an effect that reads the document is known by any of its expressions`() {
        let reading: [Models.Expression] = [doc("a"), doc(), .array([value(1), doc("a")]), .object([.init("x", .array([.object([.init("y", doc("a"))])]))])]
        for expression in reading {
            let operators: [Models.Operator] = [
                .set(path("a"), expression), .increment(path("a"), expression), .minimum(path("a"), expression), .maximum(path("a"), expression),
                .push(path("a"), .one(expression), slice: nil), .push(path("a"), .each(expression), slice: nil),
                .push(path("a"), .one(value(1)), slice: expression),
                .addToSet(path("a"), .one(expression)), .addToSet(path("a"), .each(expression)), .pull(path("a"), expression),
                .multiply(path("a"), expression), .bit(path("a"), [(.or, value(1)), (.and, expression)]), .setOnInsert(path("a"), expression),
                .push(path("a"), .one(value(1)), position: expression), .pullAll(path("a"), expression), .pop(path("a"), expression),
                .pull(path("a"), where: .members(.not(.any([.member(["x"], .hasDocument(.all([.member(["y"], .isIn(expression))])))])))),
            ]
            for op in operators { #expect(Effect([.unset(path("b")), op]).plan.readsDocument, "\(op)") }
        }
        #expect(
            !Effect([.set(path("a"), .object([.init("x", data("n"))])), .unset(path("b")), .push(path("a"), .each(.array([value(1)])), slice: value(1))])
                .plan.readsDocument)
    }

    @Test func `literals are told apart by type`() {
        let literals: [Value] = [1, .int64(1), 1.0, "1", nil, "é", "e\u{301}", [1], ["a": 1], .date(1)]
        #expect(Set(literals.map(Models.Expression.Literal.init)).count == literals.count)
    }
}
