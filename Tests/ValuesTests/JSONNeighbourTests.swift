import Fixtures
import Testing
import Values

/// The elements of a chunk lie end to end in memory: what one of them lacks must not be found in the next.
@Suite struct JSONNeighbourTests {
    /// Pairs that would be one good text, or two, if the border between them were overlooked.
    @Test(arguments: [
        ("{\"a\":1", "}"), ("{\"x\":[1", "2]}"), ("[1", "]"), ("\"abc", "def\""), ("tru", "e"), ("1", "2"), ("-", "5"), ("1.", "5"), ("1e", "5"), ("[", "]"),
        ("{\"a\":\"b", "\"}"), ("\"\\", "n\""), ("\"\\u00", "41\""), ("{\"a\":1},", "{\"a\":1}"), ("{\"a\":1}", ",{\"a\":2}"), ("[[1],", "[2]]"), ("", "{}"),
        ("{}", ""), ("nul", "l"), ("\"\u{e9}", "\""), ("12", "e5"), ("0", "x10"), ("{\"a\"", ":1}"),
    ])
    func `each text is judged alone`(first: String, second: String) {
        let alone = [JSONText.parse(first), JSONText.parse(second)]
        #expect(JSONText.parse(each: [Array(first.utf8), Array(second.utf8)]) == alone)
        #expect(
            JSONText.parse(each: [Array("{\"good\":1}".utf8), Array(first.utf8), Array(second.utf8), Array("[2]".utf8)]) == [.success(["good": 1])] + alone + [
                .success([2])
            ])
        // At least one of them is broken, or the pair shows nothing.
        #expect(alone.contains { (try? $0.get()) == nil } || (first, second) == ("1", "2") || (first, second) == ("12", "e5"))
    }

    @Test func `a character cut in two breaks both halves and nothing else`() {
        let whole: [UInt8] = [0x22, 0xE2, 0x82, 0xAC, 0x22]
        let (head, tail): ([UInt8], [UInt8]) = ([0x22, 0xE2, 0x82, 0x22], [0x22, 0xAC, 0x22])
        #expect(JSONText.parse(each: [whole, head, tail, whole]) == [.success("€"), .failure(.notUTF8), .failure(.notUTF8), .success("€")])
        // The string is found to be open before its bytes are looked at.
        let halves = [Array(whole[..<3]), Array(whole[3...])]
        #expect(JSONText.parse(each: [whole] + halves + [whole]) == [.success("€"), .failure(.syntax), .failure(.syntax), .success("€")])
    }

    @Test(arguments: Seed.ofThisRun) func `broken texts in any place leave the good ones as they were`(seed: Seed) {
        let broken = JSONProblemTests.refused.flatMap(\.1).filter { $0.utf8.count < 2000 }
        for round in 0..<300 {
            var random = Random(seed, round: round)
            var texts: [String] = []
            var expected: [Value?] = []
            for _ in 0..<(1 + random.below(12)) {
                if random.once(in: 2) {
                    texts.append(random.pick(broken))
                    expected.append(nil)
                } else {
                    let value = random.value(.json, depth: 4)
                    texts.append(JSON.write(value))
                    expected.append(value)
                }
            }
            #expect(JSONText.parse(each: texts.map { Array($0.utf8) }).map { try? $0.get() } == expected, "round \(round)")
        }
    }

    @Test func `a tape that was used before has nothing of it left`() {
        for (text, expected) in [("[1, 2, \"three\"]", [1, 2, "three"] as Value?), ("[2", nil), ("{}", [:])] {
            let bytes = Array(text.utf8)
            let tape = JSONTape(parsing: bytes, offsets: [0], lengths: [UInt32(bytes.count)])
            let value = withExtendedLifetime(tape) { try? tape.root(0).get().value }
            #expect(tape.count == 1 && value == expected)
        }
    }
}
