/// A new UUID of version 4 (RFC 9562, 5.4), as text in lower case.
///
/// Not Foundation's: in a process that can open no more files that one is zeros, each time, and whatever relies on being the only
/// one of its name is taken for another. Of two segments with one identity, the second counts as logged.
public enum RandomUUID {
    public static func text() -> String {
        let (high, low) = (UInt64.random(in: 0 ... .max), UInt64.random(in: 0 ... .max))
        // Where the RFC has the version and the variant.
        let digits = [high & ~0xF000 | 0x4000, low & ~(0b11 << 62) | 0b10 << 62].map { number in
            let text = String(number, radix: 16)
            return String(repeating: "0", count: 16 - text.utf8.count) + text
        }.joined()
        var rest = digits[...]
        return [8, 4, 4, 4, 12].map { length in
            defer { rest = rest.dropFirst(length) }
            return rest.prefix(length)
        }.joined(separator: "-")
    }
}
