import Fixtures
import Testing
import Values

@Suite struct Base64Tests {
    /// RFC 4648, section 10.
    @Test(arguments: [
        ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="), ("foobar", "Zm9vYmFy"),
    ])
    func `the vectors of the RFC`(text: String, expected: String) {
        #expect(Base64.encode(Array(text.utf8)) == expected)
        #expect(Base64.decode(expected.utf8) == Array(text.utf8))
    }

    @Test func `all sixty-four digits, from a slice as well`() {
        // The numbers 0 to 63 in six bits each, four in three bytes.
        let bytes = stride(from: 0, to: 64, by: 4).flatMap { first -> [UInt8] in
            let bits = (first..<(first + 4)).reduce(0) { $0 << 6 | $1 }
            return [UInt8(bits >> 16), UInt8(bits >> 8 & 255), UInt8(bits & 255)]
        }
        let digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
        #expect(Base64.encode(bytes) == digits)
        #expect(Base64.encode(bytes[3...]) == digits.dropFirst(4))
    }

    @Test(arguments: Seed.ofThisRun) func `what was encoded is decoded`(seed: Seed) {
        var random = Random(seed)
        for _ in 0..<300 {
            let bytes = (0..<random.below(40)).map { _ in UInt8(random.below(256)) }
            #expect(Base64.decode(Base64.encode(bytes).utf8) == bytes)
        }
    }

    @Test(arguments: ["A", "AA", "AAA", "A===", "====", "AA=A", "=AAA", "AAAA=", "Zh==", "Zm9=", "Zm 8", "Zm-_", "Zm8=Zm8=", "é==="])
    func `what is not Base64`(text: String) { #expect(Base64.decode(text.utf8) == nil) }
}
