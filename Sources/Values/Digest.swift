/// A 128-bit digest: SipHash-2-4 with 128-bit output (Aumasson and Bernstein, 2012) under a fixed key.
///
/// Fixed, because digests are stored and must mean the same to every process. It recognises equal content; it is not a
/// defence against somebody who constructs collisions.
public struct Digest: Hashable, Sendable {
    public var low: UInt64
    public var high: UInt64

    /// No digest: of an element without an id.
    public static let none = Digest(low: 0, high: 0)

    @inlinable
    public init(low: UInt64, high: UInt64) {
        self.low = low
        self.high = high
    }

    /// The digest of bytes.
    public init(of bytes: UnsafeRawBufferPointer) {
        var hasher = DigestHasher()
        hasher.combine(bytes)
        self = hasher.finalize()
    }

    public init(of bytes: some Sequence<UInt8>) {
        self = Array(bytes).withUnsafeBytes { Digest(of: $0) }
    }

    /// 32 hexadecimal digits.
    public var hex: String {
        func digit(_ number: UInt8) -> UInt8 { number + (number < 10 ? UInt8(ascii: "0") : UInt8(ascii: "a") - 10) }
        return withUnsafeBytes(of: (low.littleEndian, high.littleEndian)) { bytes in
            String(unsafeUninitializedCapacity: 2 * bytes.count) { digits in
                for (place, byte) in bytes.enumerated() {
                    digits[2 * place] = digit(byte >> 4)
                    digits[2 * place + 1] = digit(byte & 15)
                }
                return 2 * bytes.count
            }
        }
    }
}

/// SipHash-2-4-128, piece by piece.
public struct DigestHasher: Sendable {
    @usableFromInline var v0: UInt64 = 0x736f_6d65_7073_6575
    @usableFromInline var v1: UInt64 = 0x646f_7261_6e64_6f6d ^ 0xee
    @usableFromInline var v2: UInt64 = 0x6c79_6765_6e65_7261
    @usableFromInline var v3: UInt64 = 0x7465_6462_7974_6573
    @usableFromInline var tail: UInt64 = 0
    @usableFromInline var count: UInt64 = 0

    /// The fixed key is zero; another can be given to check the algorithm against its published vectors.
    public init(key: (UInt64, UInt64) = (0, 0)) {
        v0 ^= key.0
        v1 ^= key.1
        v2 ^= key.0
        v3 ^= key.1
    }

    /// Takes eight bytes, least significant first.
    @inlinable @inline(__always)
    public mutating func combine(_ word: UInt64) {
        let shift = 8 &* (count & 7)
        count &+= 8
        compress(tail | word &<< shift)
        tail = Self.rest(of: word, shift)
    }

    @inlinable @inline(__always)
    public mutating func combine(_ bytes: UnsafeRawBufferPointer) {
        let shift = 8 &* (count & 7)
        count &+= UInt64(bytes.count)
        var at = 0
        while at + 8 <= bytes.count {
            let word = Self.word(bytes, at)
            compress(tail | word &<< shift)
            tail = Self.rest(of: word, shift)
            at += 8
        }
        guard at < bytes.count else { return }
        let left = 8 &* UInt64(bytes.count - at)
        // The last eight bytes, without those that were taken.
        let word = bytes.count >= 8 ? Self.word(bytes, bytes.count - 8) &>> (64 &- left) : Self.short(bytes)
        tail |= word &<< shift
        if shift &+ left >= 64 {
            compress(tail)
            tail = Self.rest(of: word, shift)
        }
    }

    @inlinable @inline(__always)
    static func word(_ bytes: UnsafeRawBufferPointer, _ at: Int) -> UInt64 {
        UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: at, as: UInt64.self))
    }

    /// One to seven bytes, read as two or three pieces that overlap: names and most texts are that short.
    @inlinable @inline(__always)
    static func short(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
        let last = bytes.count - 1
        if bytes.count >= 4 {
            let begin = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 0, as: UInt32.self))
            let end = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: last - 3, as: UInt32.self))
            return UInt64(begin) | UInt64(end) &<< (8 &* UInt64(truncatingIfNeeded: last - 3))
        }
        func byte(_ at: Int) -> UInt64 { UInt64(bytes[at]) &<< (8 &* UInt64(truncatingIfNeeded: at)) }
        return byte(0) | byte(bytes.count / 2) | byte(last)
    }

    /// The bits of a word that a shift to the left, of 0 to 56, takes out of it.
    @inlinable @inline(__always)
    static func rest(of word: UInt64, _ shift: UInt64) -> UInt64 { (word &>> 1) &>> (63 &- shift) }

    @inlinable @inline(__always)
    public consuming func finalize() -> Digest {
        compress(tail | (count << 56))
        v2 ^= 0xee
        for _ in 0..<4 { round() }
        let low = v0 ^ v1 ^ v2 ^ v3
        v1 ^= 0xdd
        for _ in 0..<4 { round() }
        return Digest(low: low, high: v0 ^ v1 ^ v2 ^ v3)
    }

    // Inlined, as the rounds are: only then does the state stay in registers, which a million documents' digests show.
    @inlinable @inline(__always)
    mutating func compress(_ word: UInt64) {
        v3 ^= word
        round()
        round()
        v0 ^= word
    }

    @inlinable @inline(__always)
    mutating func round() {
        v0 = v0 &+ v1
        v1 = (v1 << 13 | v1 >> 51) ^ v0
        v0 = v0 << 32 | v0 >> 32
        v2 = v2 &+ v3
        v3 = (v3 << 16 | v3 >> 48) ^ v2
        v0 = v0 &+ v3
        v3 = (v3 << 21 | v3 >> 43) ^ v0
        v2 = v2 &+ v1
        v1 = (v1 << 17 | v1 >> 47) ^ v2
        v2 = v2 << 32 | v2 >> 32
    }
}
