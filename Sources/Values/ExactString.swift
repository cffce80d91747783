import CJSON

/// A string that equals another exactly when their bytes do: a dictionary of names, keys or types needs it, since two
/// keys that only look alike are two documents.
///
/// It carries its hash: a key is looked up in half a dozen tables on its way from the list to its document.
public struct ExactString: Hashable, Sendable {
    public let text: String
    let code: UInt64

    public init(_ text: String) {
        var text = text
        code = text.withUTF8 { ByteHash.code(of: UnsafeRawBufferPointer($0)) }
        self.text = text
    }

    init(_ text: String, code: UInt64) {
        self.text = text
        self.code = code
    }

    public static func == (left: ExactString, right: ExactString) -> Bool { left.code == right.code && left.text.utf8Equal(right.text) }

    public func hash(into hasher: inout Hasher) { hasher.combine(code) }

    /// What `Dictionary` and `Set` ask for. Their own way, through a `Hasher`, takes longer than all the rest of a look-up.
    public func _rawHashValue(seed: Int) -> Int { Int(truncatingIfNeeded: ByteHash.fold(code ^ UInt64(truncatingIfNeeded: seed), ByteHash.odd)) }
}

extension ExactString: ExpressibleByStringLiteral {
    public init(stringLiteral value: String) { self.init(value) }
}

extension ExactString: Comparable {
    /// By bytes, which is the order of code points.
    public static func < (left: ExactString, right: ExactString) -> Bool { left.text.utf8.lexicographicallyPrecedes(right.text.utf8) }
}

extension UnsafeRawBufferPointer {
    /// Whether both hold the same bytes.
    @inlinable @inline(__always)
    public func hasSameBytes(as other: UnsafeRawBufferPointer) -> Bool {
        guard count == other.count, let left = baseAddress, let right = other.baseAddress else { return count == other.count }
        return cjson_same(left, right, count)
    }

    /// Whether they are the bytes of a name that is known when the program is compiled.
    @inlinable @inline(__always)
    public func isName(_ name: StaticString) -> Bool {
        hasSameBytes(as: UnsafeRawBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount))
    }
}

/// Hashes of bytes for the tables of one process: eight bytes at a time, each folded in by the two halves of a product, as
/// wyhash does (Wang Yi, 2019). The process's own seed keeps producers from making keys that collide.
enum ByteHash {
    static let odd: UInt64 = 0xa076_1d64_78bd_642f
    private static let step: UInt64 = 0xe703_7ed1_a0b4_28db
    private static let seed = UInt64.random(in: 1 ... .max)

    static func code(of bytes: UnsafeRawBufferPointer) -> UInt64 {
        var code = fold(seed ^ UInt64(truncatingIfNeeded: bytes.count), odd)
        var place = 0
        while place + 8 <= bytes.count {
            code = fold(code ^ UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: place, as: UInt64.self)), step)
            place += 8
        }
        // The last eight bytes, some of which were met before: the length is in the code, so that nothing is the same by that.
        if bytes.count >= 8 { return fold(code ^ UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: bytes.count - 8, as: UInt64.self)), odd) }
        return fold(code ^ (ShortText(bytes)?.low ?? 0), odd)
    }

    static func fold(_ left: UInt64, _ right: UInt64) -> UInt64 {
        let product = left.multipliedFullWidth(by: right)
        return product.high ^ product.low
    }
}
