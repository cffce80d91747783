/// A text of at most 15 bytes in two words, to be compared without touching memory: what most names, types and keys are.
///
/// Swift holds such a string in its own two words, with a flag and the length in the top byte (StringObject.swift of its
/// standard library, "small strings"). A string that is as short and is held otherwise has no `ShortText`, and is compared
/// like a long one.
@usableFromInline
struct ShortText: Equatable {
    /// The first eight bytes, the first of them lowest.
    @usableFromInline let low: UInt64
    /// The others, and the length in the top byte.
    @usableFromInline let high: UInt64

    /// In the second word of a string: its bytes are in its words, and all of them are ASCII.
    @inlinable static var isShort: UInt64 { 1 << 61 }
    @inlinable static var isShortASCII: UInt64 { 0xe << 60 }
    @inlinable static var flags: UInt64 { 0xf << 60 }

    @inlinable @inline(__always)
    init?(_ text: String) {
        let words = unsafeBitCast(text, to: (UInt64, UInt64).self)
        guard words.1 & Self.isShort != 0 else { return nil }
        (low, high) = (words.0, words.1 & ~Self.flags)
    }

    @inlinable @inline(__always)
    init?(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count < 16 else { return nil }
        let length = UInt64(truncatingIfNeeded: bytes.count) << 56
        switch bytes.count {
        case 8...:
            low = bytes.loadUnaligned(as: UInt64.self)
            // What both words hold is shifted out; a shift by all bits leaves nothing.
            let last = bytes.loadUnaligned(fromByteOffset: bytes.count - 8, as: UInt64.self)
            high = last >> UInt64(truncatingIfNeeded: 8 * (16 - bytes.count)) | length
        case 4...:
            let last = UInt64(bytes.loadUnaligned(fromByteOffset: bytes.count - 4, as: UInt32.self))
            low = UInt64(bytes.loadUnaligned(as: UInt32.self)) | last << UInt64(truncatingIfNeeded: 8 * (bytes.count - 4))
            high = length
        case 1...:
            // The first, the middle and the last byte; of less than three, some are the same.
            let (middle, last) = (bytes.count / 2, bytes.count - 1)
            low = UInt64(bytes[0]) | UInt64(bytes[middle]) << UInt64(8 * middle) | UInt64(bytes[last]) << UInt64(8 * last)
            high = length
        default: (low, high) = (0, 0)
        }
    }

    @inlinable var count: Int { Int(truncatingIfNeeded: high >> 56) }

    /// Whether a text as long as this is the same. From where it begins, 16 bytes can be read.
    @inlinable @inline(__always)
    func isSame(as start: UnsafeRawPointer) -> Bool {
        // What is behind the text is shifted out; a shift by all bits leaves nothing.
        let first = low ^ start.loadUnaligned(as: UInt64.self)
        guard count >= 8 else { return first << UInt64(truncatingIfNeeded: 8 * (8 - count)) == 0 }
        let second = high ^ start.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
        return first == 0 && second << UInt64(truncatingIfNeeded: 8 * (16 - count)) == 0
    }

    /// The string; nil where it is not ASCII, and may not be UTF-8.
    @inlinable @inline(__always)
    var string: String? {
        guard (low | high) & 0x8080_8080_8080_8080 == 0 else { return nil }
        return unsafeBitCast((low, high | Self.isShortASCII), to: String.self)
    }
}

extension String {
    /// Decodes UTF-8, mending what is none, as `init(decoding:as:)` does. Most texts are short, and made at once.
    @inlinable @inline(__always)
    public init(utf8 bytes: UnsafeRawBufferPointer) {
        self = ShortText(bytes)?.string ?? String(decoding: bytes, as: UTF8.self)
    }

    /// Equality of bytes. Swift's `==` also holds for strings that only look alike (é composed and decomposed), which
    /// are different names, keys and values to MongoDB.
    @inlinable @inline(__always)
    public func utf8Equal(_ other: String) -> Bool {
        if let left = ShortText(self), let right = ShortText(other) { return left == right }
        return hasSameBytes(as: other)
    }

    /// Whether these are the string's bytes.
    @inlinable @inline(__always)
    public func utf8Equal(_ bytes: UnsafeRawBufferPointer) -> Bool {
        if let short = ShortText(self) { return short.count == bytes.count && short == ShortText(bytes) }
        return hasBytes(bytes)
    }

    @usableFromInline
    func hasSameBytes(as other: String) -> Bool {
        var other = other
        return utf8.count == other.utf8.count && other.withUTF8 { hasBytes(UnsafeRawBufferPointer($0)) }
    }

    @usableFromInline
    func hasBytes(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard utf8.count == bytes.count else { return false }
        var text = self
        return text.withUTF8 { UnsafeRawBufferPointer($0).hasSameBytes(as: bytes) }
    }
}
