import Testing
import Values

@testable import Models

@Suite struct FieldPathTests {
    @Test func `a path is split at its dots`() {
        #expect(FieldPath("a")?.names == ["a"])
        #expect(FieldPath("a.0.é")?.names == ["a", "0", "é"])
        #expect(FieldPath("a.0.é")?.description == "a.0.é")
        for text in ["", ".", "a.", ".a", "a..b"] { #expect(FieldPath(text) == nil, "\(text)") }
    }

    @Test(arguments: [
        ("a", "a", true), ("a", "a.b", true), ("a.b.c", "a.b", true), ("a", "b", false), ("a.b", "a.c", false), ("a.b", "ab", false), ("a.1", "a.10", false),
        ("é", "e\u{301}", false),
    ])
    func `paths conflict where one leads to the other`(first: String, second: String, expected: Bool) throws {
        #expect(path(first).conflicts(with: path(second)) == expected)
        #expect(path(second).conflicts(with: path(first)) == expected)
    }
}
