import Fixtures
import Testing
import Values

/// Damaged bytes are an error or another document, and never a crash or a read out of bounds: wrong lengths trap in a
/// debug build.
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

    @Test(arguments: Seed.ofThisRun) func `mutated bytes never crash, and what they still say can be written again`(seed: Seed) throws {
        var survivors = 0
        for round in 0..<30_000 {
            var random = Random(seed, round: round)
            var bytes = BSON.encode(random.document(.bson))
            for _ in 0...random.below(4) { mutate(&bytes, &random) }
            guard let document = try? Document(bson: bytes) else { continue }
            survivors += 1
            // Text that is not UTF-8 is repaired when it is read, so that the bytes may differ, but only once.
            let again = try Document(bson: BSON.encode(document))
            #expect(again == document, "round \(round)")
        }
        #expect(survivors > 1000, "mutations that survive are what looks deepest into the reader")
    }

    private func mutate(_ bytes: inout [UInt8], _ random: inout Random) {
        let place = random.below(bytes.count)
        switch random.below(5) {
        case 0: bytes[place] ^= 1 << UInt8(random.below(8))
        case 1: bytes[place] = random.pick([0, 1, 0x7F, 0x80, 0xFF])
        case 2: bytes.insert(UInt8(random.below(256)), at: place)
        case 3 where bytes.count > 1: bytes.remove(at: place)
        default: bytes.replaceSubrange(place..., with: bytes[place...].shuffled(using: &random))
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
