import Testing

@testable import Values

/// What `ShortText` takes for granted about Swift's strings: a standard library that holds them otherwise fails here.
struct ShortTextTests {
    /// Texts around every length that matters, ASCII and not, with some that share a beginning or an end.
    private static let texts: [String] = (0...40).flatMap { length -> [String] in
        let plain = String((0..<length).map { "abcdefghijklmnopqrstuvwxyz0123456789-_+!"[$0] })
        guard length > 1 else { return [plain, "é", "e\u{301}", "\u{0}", "A"].map { $0 } }
        return [plain, "x" + plain.dropFirst(), plain.dropLast() + "x", plain.dropLast(2) + "é", plain.dropLast() + "\u{0}"]
    }

    private static func inBytes<R>(_ text: String, _ body: (UnsafeRawBufferPointer) -> R) -> R {
        // As a text lies on a tape: other bytes before and behind it.
        let bytes = Array("??".utf8) + Array(text.utf8) + Array(repeating: UInt8(ascii: "?"), count: 16)
        return bytes.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[2..<(2 + text.utf8.count)])) }
    }

    /// The same text in storage of its own, however short it is.
    private static func stored(_ text: String) -> String {
        var stored = String(repeating: "y", count: 100)
        stored.replaceSubrange(stored.startIndex..., with: text)
        return stored
    }

    @Test func `texts are equal when their bytes are`() {
        for left in Self.texts {
            for right in Self.texts {
                let isSame = Array(left.utf8) == Array(right.utf8)
                #expect(left.utf8Equal(right) == isSame, "\(left), \(right)")
                #expect(Self.stored(left).utf8Equal(right) == isSame, "\(left) stored, \(right)")
                #expect(left.utf8Equal(Self.stored(right)) == isSame, "\(left), \(right) stored")
                #expect(Self.inBytes(right) { left.utf8Equal($0) } == isSame, "\(left), bytes of \(right)")
                guard left.utf8.count == right.utf8.count, let short = ShortText(left) else { continue }
                #expect(Self.inBytes(right) { $0.baseAddress.map(short.isSame) ?? true } == isSame, "\(left), bytes of \(right) with others behind")
            }
        }
    }

    @Test func `a short text is made as the standard library makes it`() {
        for text in Self.texts {
            let made = Self.inBytes(text) { String(utf8: $0) }
            #expect(Array(made.utf8) == Array(text.utf8) && made == text && made.hashValue == text.hashValue, "\(text)")
            #expect(made + "!" == text + "!" && made.count == text.count, "\(text)")
        }
        // Most names are short: none of this is worth anything if these are not.
        #expect(Self.texts.allSatisfy { (ShortText($0) != nil) == ($0.utf8.count < 16) })
    }

    @Test func `what is no UTF-8 is mended`() {
        for bytes: [UInt8] in [[0xff], [0x61, 0xc3], [0xe2, 0x82], Array(repeating: 0x80, count: 15)] {
            #expect(bytes.withUnsafeBytes { String(utf8: $0) } == String(decoding: bytes, as: UTF8.self), "\(bytes)")
        }
    }
}

extension String {
    fileprivate subscript(place: Int) -> Character { self[index(startIndex, offsetBy: place)] }
}
