import Testing
import Values

@testable import Definitions

@Suite struct YAMLReaderTests {
    @Test(
        arguments: [
            ("no", "no"), ("yes", "yes"), ("on", "on"), ("off", "off"), ("~", nil), ("null", nil), ("", nil), ("true", true), ("FALSE", false),
            ("tRue", "tRue"), ("12", 12), ("-12", -12), ("+12", 12), ("012", 12), ("0o17", 15), ("0x1F", 31), ("-0x1F", "-0x1F"), ("0b1", "0b1"),
            ("1_000", "1_000"), ("2147483648", .int64(2_147_483_648)), ("-9223372036854775808", .int64(.min)), ("1.5", 1.5), ("1.", 1.0), (".5", 0.5),
            ("-1e3", -1000.0), ("1e3", 1000.0), ("1e", "1e"), (".", "."), ("+", "+"), ("-", "-"), (".inf", .double(.infinity)),
            ("-.INF", .double(-.infinity)), (".nan", .double(.nan)), ("nan", "nan"), ("inf", "inf"), ("12:30", "12:30"), ("2026-11-20", "2026-11-20"),
            ("0x", "0x"), ("0o8", "0o8"), ("١", "١"),
        ] as [(String, Value)])
    func `plain scalars follow the core schema of YAML 1.2`(text: String, value: Value) {
        #expect(CoreSchema.resolve(text) == .value(value))
    }

    @Test(arguments: ["9223372036854775808", "-9223372036854775809", "0xFFFFFFFFFFFFFFFF", "1e999"])
    func `numbers beyond 64 bits are out of range`(text: String) {
        #expect(CoreSchema.resolve(text) == .outOfRange)
    }

    @Test(arguments: [
        Mistake("a: 1\n\tb: 2\n", 2, 1, "indent with spaces, not with tabs"),
        Mistake("a: [1\nb: 2\n", 2, 2, "is not valid YAML"),
        Mistake("a: @x\n", 1, 4, "quote a value that begins with @"),
        Mistake("a: b: c\n", 1, 5, "quote a value that holds a colon"),
        Mistake("a: { list: events:{x} }\n", 1, 18, "quote a value that holds braces"),
        Mistake("a: *missing\n", 1, 4, "undefined alias"),
        Mistake("a: 1\n---\nb: 2\n", 2, 1, "a second document begins here"),
        Mistake("a: 1\nb: \"x\u{1}\"\n", 2, 6, "control characters are not allowed"),
        Mistake("", nil, nil, "is empty — begin with version: 1"),
        Mistake("# nothing\n", nil, nil, "is empty"),
        Mistake("a: 1\nb: 2\na: 3\n", 3, 1, "the key \"a\" stands here a second time, first at 1:1"),
        Mistake("a: { \"b\": 1, 'b': 2 }\n", 1, 14, "the key \"b\" stands here a second time, first at 1:6"),
        Mistake("{\"a\":1,\"a\":2}\n", 1, 8, "the key \"a\" stands here a second time, first at 1:2"),
        Mistake("eA: 1\n\"e\\u0041\": 2\n", 2, 1, "the key \"eA\" stands here a second time, first at 1:1"),
        Mistake("\"e\\u0041\": 1\neA: 2\n", 1, 1, "the key \"eA\" stands here, and a second time in the same map"),
        Mistake("é: 1\nb: 2\né: 3\n", 3, 1, "the key \"é\" stands here a second time, first at 1:1"),
        Mistake("[a, b]: 1\n", 1, 1, "a key must be text, found a list"),
        Mistake("{a: 1}: 1\n", 1, 1, "a key must be text, found a map"),
        Mistake("? \n: 1\n", 1, 2, "a key must be text, found nothing"),
        Mistake("~: 1\n", 1, 1, "a key must be text, found nothing"),
        Mistake("a: &a { b: 1 }\nc: { <<: *a }\n", 2, 6, "merge keys (<<) are not part of YAML 1.2"),
        Mistake("a: !foo 1\n", 1, 4, "the tag \"!foo\" is not part of YAML's core schema"),
        Mistake("a: !!timestamp 2026-11-20\n", 1, 4, "the tag \"!!timestamp\" is not part"),
        Mistake("a: !!int x\n", 1, 4, "\"x\" is not of the type that its tag \"!!int\" names"),
        Mistake("a: !!seq { b: 1 }\n", 1, 4, "a map is not of the type"),
        Mistake("a: 9223372036854775808\n", 1, 4, "does not fit into 64 bits"),
    ])
    func `mistakes are found where they are`(mistake: Mistake) throws {
        let findings = Findings(file: "x.yaml")
        _ = YAMLReader.read(mistake.source, findings)
        let problem = try #require(findings.problems.first)
        #expect(findings.problems.count == 1)
        #expect(problem.description.contains(mistake.fragment), "\(problem)")
        #expect((problem.line, problem.column) == (mistake.line, mistake.column), "\(problem)")
    }

    @Test func `a duplicate key hides nothing else`() {
        let findings = Findings(file: "x.yaml")
        let node = YAMLReader.read("a: 1\nb: { c: 1, c: 2, c: 3 }\na: 2\nd: !foo 1\ne: 5\n", findings)
        #expect(findings.problems.map(\.line) == [2, 2, 3, 4])
        #expect(node?.members?.map(\.name) == ["a", "b", "d", "e"])
        #expect(node?.members?.first?.value.scalar?.value == 1, "the first of two counts")
        #expect(node?.members?.last?.value.place == Place(line: 5, column: 4))
    }

    @Test func `names that only look alike are two names`() {
        let findings = Findings(file: "x.yaml")
        let node = YAMLReader.read("\u{E9}: 1\ne\u{301}: 2\n", findings)
        #expect(findings.isEmpty)
        #expect(node?.members?.count == 2)
    }

    @Test func `quoted and tagged scalars are what they say`() {
        let findings = Findings(file: "x.yaml")
        let node = YAMLReader.read("[ '1', \"no\", !!str 5, !!int \"5\", !!float 1, ! 7, 'null' ]", findings)
        let values = node?.elements?.map { $0.scalar?.value } ?? []
        #expect(values == ["1", "no", "5", 5, 1.0, "7", "null"])
    }

    @Test func `a byte order mark and Windows line ends are no content`() {
        let findings = Findings(file: "x.yaml")
        let node = YAMLReader.read("\u{FEFF}a: 1\r\nb: 1\r\nb: 2\r\n", findings)
        #expect(node?.members?.map(\.name) == ["a", "b"])
        #expect(findings.problems.map(\.description) == ["x.yaml:3:1: the key \"b\" stands here a second time, first at 2:1"])
    }

    @Test func `aliases of aliases do not explode`() {
        var bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
        for level in 1...12 {
            bomb += "a\(level): &a\(level) [\(Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ", "))]\n"
        }
        let findings = Findings(file: "x.yaml")
        #expect(YAMLReader.read(bomb, findings) == nil)
        #expect(findings.problems.map(\.message) == ["holds more than 100000 values once its aliases are followed"])
    }

    @Test(arguments: [300, 900, 5000, 100_000])
    func `deep nesting is a problem, not a crash`(levels: Int) {
        for text in [String(repeating: "[", count: levels), String(repeating: "[", count: levels) + String(repeating: "]", count: levels)] {
            let findings = Findings(file: "x.yaml")
            _ = YAMLReader.read(text, findings)
            #expect(findings.problems.count == 1)
        }
    }
}
