import Fixtures
import Testing
import Values

/// Bytes that are no document are an error, and never a crash or a read out of bounds: wrong lengths trap in a debug
/// build. What damage leaves readable is FuzzTests' concern.
@Suite struct BSONDamageTests {
    @Test(arguments: Seed.ofThisRun) func `truncated bytes are refused`(seed: Seed) {
        for round in 0..<200 {
            var random = Random(seed, round: round)
            let bytes = BSON.encode(random.document(.bson))
            for count in 0..<bytes.count {
                #expect(throws: BSONError.self, "round \(round), \(count) of \(bytes.count) bytes") { try Document(bson: Array(bytes[..<count])) }
            }
        }
    }

    @Test(
        arguments: [
            ("no bytes", []),
            ("a length below the least", [4, 0, 0, 0]),
            ("a negative length", [0xFF, 0xFF, 0xFF, 0xFF, 0]),
            ("a length beyond the end", [6, 0, 0, 0, 0]),
            ("bytes after the end", [5, 0, 0, 0, 0, 0]),
            ("no terminator", [5, 0, 0, 0, 1]),
            ("a name without end", [8, 0, 0, 0, 0x0A, 97, 97, 97]),
            ("an unknown type", [8, 0, 0, 0, 0x20, 97, 0, 0]),
            ("a text of length 0", [12, 0, 0, 0, 2, 97, 0, 0, 0, 0, 0, 0]),
            ("a text beyond its document", [13, 0, 0, 0, 2, 97, 0, 9, 0, 0, 0, 0, 0]),
            ("a binary of negative length", [13, 0, 0, 0, 5, 97, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0]),
            ("an inner document that ends outside the outer", [13, 0, 0, 0, 3, 97, 0, 7, 0, 0, 0, 0, 0]),
            ("an inner document that ends early", [14, 0, 0, 0, 3, 97, 0, 6, 0, 0, 0, 0, 0, 0]),
            ("an inner document that takes its outer's end", [13, 0, 0, 0, 3, 97, 0, 6, 0, 0, 0, 0, 0]),
            ("code with scope of length 3", [12, 0, 0, 0, 15, 97, 0, 3, 0, 0, 0, 0]),
        ] as [(String, [UInt8])])
    func `bytes that are no document are refused`(what: String, bytes: [UInt8]) {
        #expect(throws: BSONError.self) { try Document(bson: bytes) }
    }
}
