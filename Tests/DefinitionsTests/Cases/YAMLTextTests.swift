import Fixtures
import Testing
import Values

@testable import Definitions

@Suite struct YAMLTextTests {
    @Test(arguments: [
        ("Lamp", "Lamp"), ("product-1", "product-1"), ("a b", "a b"), ("", "\"\""), ("true", "\"true\""), ("null", "\"null\""), ("1", "\"1\""),
        ("a: b", "\"a: b\""), ("a #b", "\"a #b\""), (" a", "\" a\""), ("a ", "\"a \""), ("-", "\"-\""), ("no", "no"), ("상품", "상품"), ("a\nb", "\"a\\nb\""),
        ("a\u{0}", "\"a\\u0000\""), ("\"\\", "\"\\\"\\\\\""), ("{", "\"{\""), ("😀", "\"😀\""), ("\u{feff}", "\"\\ufeff\""),
    ]) func `text is quoted where it would be read as something else`(text: String, written: String) {
        #expect(YAMLText.scalar(text) == written)
    }

    @Test func `long values stand on several lines`() {
        let long = String(repeating: "word ", count: 30) + "end"
        #expect(
            YAMLText.lines(["a": 1, "b": ["c": [1, .string(long)], "d": [["e": .string(long)]]]], indent: 2) == [
                "  a: 1", "  b:", "    c:", "      - 1", "      - \(long)", "    d:", "      -", "        e: \(long)",
            ])
    }

    @Test(arguments: Seed.ofThisRun) func `what is written is read as it was`(seed: Seed) throws {
        let names = Random.names.filter { $0 != "_id" && !$0.hasPrefix("$") }
        for round in 0..<5000 {
            var random = Random(seed, round: round)
            let fields = random.document(.bson, names: names)
            let text = random.once(in: 2) ? "a: " + YAMLText.flow(.document(fields)) : YAMLText.lines("a", .document(fields), indent: 0).joined(separator: "\n")
            let findings = Findings(file: "values.yaml")
            let node = YAMLReader.read(text + "\n", findings)?.members?.first?.value
            let read = node.flatMap { CaseValueReader(findings: findings).fields($0, of: "a") }
            #expect(findings.isEmpty && read == fields, "round \(round): \(findings.problems) in\n\(text)")
        }
    }
}
