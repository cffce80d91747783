import Events
import Testing
import Values

@testable import Models

@Suite struct RemovalTests {
    private static func apply(_ name: String, _ arguments: [Models.Expression?]) throws -> Models.Expression {
        .apply(Application(try #require(ExpressionOperator.all[name]), arguments))
    }

    private func set(_ text: String, _ expression: Models.Expression) throws -> Applied {
        try Applied([[.set(path(text), expression)]], to: ["a": 1, "b": ["c": 2], "list": [1, 2]])
    }

    @Test func `a field goes where its value is REMOVE, and none is made`() throws {
        #expect(try set("a", .removal).document == ["b": ["c": 2], "list": [1, 2]])
        #expect(try set("b.c", .removal).document == ["a": 1, "b": [:], "list": [1, 2]])
        #expect(try set("new.x", .removal).document == ["a": 1, "b": ["c": 2], "list": [1, 2]])
        #expect(try set("a", .object([.init("x", .removal), .init("y", value(1))])).document?["a"] == ["y": 1])
        #expect(try set("a", .array([.removal])).document?["a"] == [nil])
    }

    @Test func `conditions choose it`() throws {
        let gone: Document = ["b": ["c": 2], "list": [1, 2]]
        #expect(try set("a", Self.apply("$cond", [value(false), value(1), .removal])).document == gone)
        #expect(try set("a", Self.apply("$cond", [value(true), value(5), .removal])).document?["a"] == 5)
        #expect(try set("a", Self.apply("$ifNull", [data("absent"), .removal])).document == gone)
        #expect(try set("a", Self.apply("$switch", [value(true), .removal, value(7)])).document == gone)
        #expect(try set("a", Self.apply("$switch", [value(false), value(7), .removal])).document == gone)
    }

    @Test func `what is missing for another reason still parks the event`() throws {
        #expect(try set("a", Self.apply("$cond", [.removal, value(1), data("absent")])).problem == .missingValue)
        #expect(!(try Self.apply("$add", [.removal])).mayRemove)
    }
}
