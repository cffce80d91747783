import Testing
import Values

@Suite struct Base64Tests {
    /// RFC 4648, section 10.
    @Test(arguments: [
        ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="), ("foobar", "Zm9vYmFy"),
    ])
    func `the vectors of the RFC`(text: String, expected: String) {
        #expect(Base64.encode(Array(text.utf8)) == expected)
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
}
