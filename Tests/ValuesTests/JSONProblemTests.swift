import Fixtures
import Testing
import Values

/// Every way in which a text is not taken, and the nearest texts that are.
@Suite struct JSONProblemTests {
    static let refused: [(JSONProblem, [String])] = [
        (.empty, ["", " ", "\n", " \t\r\n "]),
        (
            .syntax,
            [
                "{", "[", "\"", "{\"a\"", "{\"a\":", "{\"a\":1", "{\"a\":1,", "[1", "[1,", "tru", "nul", "\"abc",
                "{}{}", "{} x", "1 2", "[]]", "{\"a\":1}}", "null,", "nullx", "truefalse",
                "{a:1}", "{'a':1}", "{\"a\" 1}", "{\"a\":1 \"b\":2}", "{1:2}", "{,}", "[,]", "[1,]", "{\"a\":1,}", "[1 2]",
                "NaN", "Infinity", "[NaN]", "+1", ".5", "/* */ 1", "// 1", "True", "\u{1}", "\u{0}", "{\u{0}}", "\u{a0}1", "[\u{feff}1]",
            ]
        ),
        (
            .badNumber,
            [
                "0x10", "01", "-01", "1.", "1.e3", "-", "-x", "-Infinity", "1e", "1e+", "1.5.5", "1x", "[1.]", "{\"a\":-}", "9223372036854775808",
                "-9223372036854775809",
                "18446744073709551615", "18446744073709551616", "100000000000000000000000000000", "[9223372036854775808]", "1e999", "-1e999", "[1e309]",
            ]
        ),
        (
            .badString,
            [
                "\"\\x\"", "\"\\u12\"", "\"\\u12g4\"", "\"\\ud800\"", "\"\\udbff x\"", "\"\\ud800\\ud800\"", "\"\\ud800\\u0041\"", "\"\\ud83d\\n\"",
                "\"\\udc00\"", "\"\\udfff\"", "\"a\\udc00b\"", "\"\\udc00\\ud800\"", "{\"\\udc00\":1}", "{\"\\ud800\":1}", "[\"\\ud83d\\ude00\\udc00\"]",
            ]
        ),
        (
            .duplicateName,
            [
                "{\"a\":1,\"a\":1}", "{\"a\":1,\"b\":2,\"a\":3}", "[{\"x\":{\"a\":1,\"a\":2}}]", "{\"a\":1,\"\\u0061\":2}", "{\"\":1,\"\":2}",
                "{\"\u{e9}\":1,\"\\u00e9\":2}", object(16, "n3"), object(17, "n0"), object(17, "n16"), object(40, "n20"), object(40, "n39"),
                object(1000, "\\u006e999"),
            ]
        ),
        (.nulInName, ["{\"\\u0000\":1}", "{\"a\\u0000b\":1}", "{\"x\":[{\"a\\u0000\":1}]}"]),
        (.tooDeep, [arrays(1025), arrays(100_000), objects(1025), objects(100_000)]),
    ]

    @Test func `texts that are refused, and why`() {
        for (problem, texts) in Self.refused {
            for text in texts { #expect(JSONText.parse(text) == .failure(problem), "\(text.prefix(60))") }
        }
    }

    @Test(
        arguments: [
            ("a lone continuation byte", [0x22, 0x80, 0x22]), ("a lead byte alone", [0x22, 0xC3, 0x22]), ("an overlong slash", [0x22, 0xC0, 0xAF, 0x22]),
            ("a surrogate", [0x22, 0xED, 0xA0, 0x80, 0x22]), ("beyond U+10FFFF", [0x22, 0xF4, 0x90, 0x80, 0x80, 0x22]), ("no UTF-8 byte", [0x22, 0xFF, 0x22]),
            ("cut within a character", [0x22, 0xE2, 0x82, 0x22]), ("in a name", [0x7B, 0x22, 0xFE, 0x22, 0x3A, 0x31, 0x7D]),
            ("outside of strings", [0x5B, 0x80, 0x5D]),
            ("UTF-16 with a mark", [0xFF, 0xFE, 0x7B, 0, 0x7D, 0]), ("UTF-16, the other end first", [0xFE, 0xFF, 0, 0x7B, 0, 0x7D]),
        ] as [(String, [UInt8])])
    func `bytes that are not UTF-8`(what: String, bytes: [UInt8]) {
        #expect(JSONText.parse(bytes) == .failure(.notUTF8))
    }

    @Test func `UTF-16 without a mark is UTF-8 that makes no sense`() {
        #expect(JSONText.parse([0x7B, 0, 0x7D, 0]) == .failure(.syntax))
    }

    @Test func `raw control characters in strings`() {
        for byte in UInt8(0)..<0x20 { #expect(JSONText.parse([0x22, byte, 0x22]) == .failure(.syntax), "byte \(byte)") }
        #expect(JSONText.parse([0x22, 0x7F, 0x22]) == .success("\u{7f}"))
    }

    @Test func `every problem is known by its name`() {
        let names = Set(JSONProblem.allCases.map(\.rawValue))
        #expect(names.count == JSONProblem.allCases.count)
        #expect(names.allSatisfy { $0.allSatisfy { $0.isLowercase || $0.isNumber || $0 == "-" } })
        #expect(Set(JSONProblem.allCases.map(\.explanation)).count == names.count)
        // Only memory that runs out makes the last one.
        #expect(Set(Self.refused.map(\.0)).union([.notUTF8, .tooLarge]) == Set(JSONProblem.allCases))
    }

    /// So many members n0, n1, …, and one more.
    private static func object(_ count: Int, _ name: String) -> String {
        "{" + ((0..<count).map { "n\($0)" } + [name]).map { "\"\($0)\":0" }.joined(separator: ",") + "}"
    }

    static func arrays(_ levels: Int) -> String { String(repeating: "[", count: levels) + String(repeating: "]", count: levels) }

    static func objects(_ levels: Int) -> String { String(repeating: "{\"a\":", count: levels) + "1" + String(repeating: "}", count: levels) }
}
