import Fixtures
import Testing
import Values

@Suite struct JSONTapeTests {
    @Test(
        arguments: [
            ("null", nil), ("true", true), ("false", false), (" 1 ", 1), ("-0", 0), ("2147483647", .int32(.max)), ("2147483648", .int64(2_147_483_648)),
            ("-2147483649", .int64(-2_147_483_649)), ("9223372036854775807", .int64(.max)), ("-9223372036854775808", .int64(.min)),
            ("1.0", 1.0), ("1e2", 100.0), ("1E-2", 0.01), ("-0.0", .double(-0.0)), ("0e0", 0.0), ("1e-999", 0.0),
            ("1.7976931348623157e308", .double(.greatestFiniteMagnitude)),
            ("5e-324", .double(.leastNonzeroMagnitude)), ("0.1", 0.1), ("9007199254740993.0", .double(0x1p53)),
            ("\"\"", ""), ("\"\\u0000\"", "\u{0}"), ("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\u{8}\u{c}\n\r\t"), ("\"\\u00e9\\u20ac\\ud83d\\ude00\"", "é€😀"),
            ("\"é€😀\"", "é€😀"),
            ("[]", []), ("[1,[2,[]],{}]", [1, [2, []], [:]]), ("{\"b\":1,\"a\":{\"c\":[null]}}", ["b": 1, "a": ["c": [nil]]]), ("{\"\":0}", ["": 0]),
            // Lookalikes of Extended JSON stay plain data.
            ("{\"$date\":\"2026-01-01T00:00:00Z\"}", ["$date": "2026-01-01T00:00:00Z"]), ("{\"$numberLong\":\"1\"}", ["$numberLong": "1"]),
        ] as [(String, Value)])
    func `values`(text: String, expected: Value) {
        #expect(JSONText.parse(text) == .success(expected))
    }

    @Test func `names that only look alike, and a name that comes back on another level, are no duplicates`() {
        #expect(JSONText.parse("{\"é\":1,\"e\u{301}\":2}") == .success(["é": 1, "e\u{301}": 2]))
        #expect(JSONText.parse("{\"a\":{\"a\":{\"a\":1}},\"b\":{\"a\":2}}") == .success(["a": ["a": ["a": 1]], "b": ["a": 2]]))
        #expect(JSONText.parse("[{\"a\":1},{\"a\":1}]") == .success([["a": 1], ["a": 1]]))
    }

    @Test(arguments: [15, 16, 17, 18, 1000]) func `as many names as one likes`(count: Int) throws {
        let names = (0..<count).map { "n\($0)" }
        let value = try JSONText.parse("{" + names.map { "\"\($0)\":{\"x\":1}" }.joined(separator: ",") + "}").get()
        #expect(value.asDocument?.fields.map(\.name) == names)
    }

    @Test func `nesting is taken as deep as the parser goes`() throws {
        for text in [JSONProblemTests.arrays(1023), JSONProblemTests.objects(1023)] {
            var levels = 0
            var value = try JSONText.parse(text).get()
            while let inner = value.asArray?.first ?? value.asDocument?.fields.first?.value {
                value = inner
                levels += 1
            }
            #expect(levels >= 1022)
        }
    }

    @Test func `nodes are found by name and by number`() throws {
        let text = #"{"list":[10,{"x":"deep"},[30,31],40],"é":1,"next":true,"big":5000000000}"#
        let results = JSONText.read([Array(text.utf8)]) { root in
            #expect(root.kind == .object)
            #expect(root.member("list")?.element(1)?.member("x")?.string == "deep")
            #expect(root.member("list")?.element(3)?.integer == 40)
            #expect(root.member("list")?.element(4) == nil)
            #expect(root.member("list")?.element(-1) == nil)
            #expect(root.member("list")?.elements.map(\.value) == [10, ["x": "deep"], [30, 31], 40])
            #expect(root.member("next")?.kind == .bool)
            #expect(root.member("next")?.integer == nil)
            #expect(root.member("big")?.integer == 5_000_000_000)
            #expect(root.member("e\u{301}") == nil)
            #expect(root.member("é")?.value == 1)
            #expect(root.element(0) == nil)
            #expect(root.elements.isEmpty)
            #expect(root.utf8.isEmpty)
            var names: [String] = []
            root.forEachMember { name, _ in names.append(String(decoding: name, as: UTF8.self)) }
            #expect(names == ["list", "é", "next", "big"])
        }
        try #require(results.count == 1)
        try results[0].get()
    }
}
