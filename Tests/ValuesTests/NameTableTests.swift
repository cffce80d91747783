import Fixtures
import Testing
import Values

@Suite struct NameTableTests {
    /// The same through strings and through bytes, while it grows and after names were forgotten.
    @Test(arguments: Seed.ofThisRun) func `names are numbered in order of first appearance`(seed: Seed) {
        for round in 0..<20 {
            var random = Random(seed, round: round)
            var table = NameTable()
            var expected: [String] = []
            for step in 0..<600 {
                let name = "\(random.below(2) == 0 ? "n" : "a name beyond fifteen bytes ")\(random.below(400))"
                let known = expected.firstIndex(of: name)
                #expect(table.find(ExactString(name)) == known, "round \(round), step \(step)")
                let number =
                    random.once(in: 2) ? table.number(of: ExactString(name)) : Array(name.utf8).withUnsafeBytes { table.number(of: $0) }
                if known == nil { expected.append(name) }
                #expect(number == known ?? expected.count - 1, "round \(round), step \(step)")
                if random.once(in: 100) {
                    let kept = random.below(expected.count + 1)
                    table.truncate(to: kept)
                    expected.removeSubrange(kept...)
                }
                #expect(table.names.map(\.text) == expected && table.count == expected.count)
            }
        }
    }

    @Test func `names that only look alike have numbers of their own`() {
        var table = NameTable()
        #expect(["é", "e\u{301}", "é", ""].map { table.number(of: ExactString($0)) } == [0, 1, 0, 2])
        #expect(table.find(ExactString("e")) == nil)
        #expect(NameTable().find(ExactString("e")) == nil)
    }
}
