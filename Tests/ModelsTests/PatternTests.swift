import Events
import Testing
import Values

@testable import Models

@Suite struct PatternTests {
    private func matches(_ text: String, _ pattern: String) throws -> Applied {
        let op = try #require(ExpressionOperator.all["$regexMatch"])
        let expression = Models.Expression.apply(Application(op, [value(.string(text)), value(.string(pattern)), nil]))
        return try Applied([[.set(path("result"), expression)]], to: [:])
    }

    @Test func `a pattern that takes for ever parks its event, and the next one is not kept waiting`() throws {
        let long = String(repeating: "a", count: 40)
        #expect(try matches(long + "b", "^(a+)+$") == Applied(document: [:], problem: .patternLimit))
        #expect(try matches(long, "^(a+)+$").document == ["result": true])
    }
}
