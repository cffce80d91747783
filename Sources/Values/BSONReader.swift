/// BSON in: bytes to values. Every length is checked before it is used, so that no bytes can read out of bounds.
extension Document {
    /// Decodes one document that fills the bytes exactly.
    public init(bson bytes: UnsafeRawBufferPointer) throws(BSONError) {
        var reader = BSONReader(bytes: bytes, at: 0, end: bytes.count)
        self = try reader.document(depth: 0)
        guard reader.at == bytes.count else { throw BSONError(reason: "\(bytes.count - reader.at) bytes follow the document") }
    }

    public init(bson bytes: [UInt8]) throws(BSONError) {
        let result: Result<Document, BSONError> = bytes.withUnsafeBytes { buffer in
            do throws(BSONError) { return .success(try Document(bson: buffer)) } catch { return .failure(error) }
        }
        self = try result.get()
    }
}

struct BSONReader {
    let bytes: UnsafeRawBufferPointer
    var at: Int
    var end: Int

    /// Above what MongoDB stores, so that everything it returns can be read, and below what the stack bears.
    static let maximumDepth = 256

    mutating func document(depth: Int) throws(BSONError) -> Document {
        let (outerEnd, close) = try open(depth)
        var document = Document()
        document.fields.reserveCapacity(depth == 0 ? 8 : 4)
        while true {
            let type = try byte()
            if type == 0 { break }
            let name = try cString()
            document.append(name, try value(type, depth: depth + 1))
        }
        try self.close(outerEnd, close)
        return document
    }

    private mutating func array(depth: Int) throws(BSONError) -> [Value] {
        let (outerEnd, close) = try open(depth)
        var values: [Value] = []
        while true {
            let type = try byte()
            if type == 0 { break }
            try skipCString()
            values.append(try value(type, depth: depth + 1))
        }
        try self.close(outerEnd, close)
        return values
    }

    mutating func open(_ depth: Int) throws(BSONError) -> (outerEnd: Int, close: Int) {
        guard depth < Self.maximumDepth else { throw BSONError(reason: "nested deeper than \(Self.maximumDepth) levels") }
        let start = at
        let length = Int(try integer(Int32.self))
        guard length >= 5, start + length <= end else { throw BSONError(reason: "document length \(length) at byte \(start)") }
        let outerEnd = end
        end = start + length
        return (outerEnd, end)
    }

    mutating func close(_ outerEnd: Int, _ expected: Int) throws(BSONError) {
        guard at == expected else { throw BSONError(reason: "document ends at byte \(at), not \(expected)") }
        end = outerEnd
    }

    mutating func value(_ type: UInt8, depth: Int) throws(BSONError) -> Value {
        switch type {
        case BSONType.double: return .double(Double(bitPattern: UInt64(bitPattern: try integer(Int64.self))))
        case BSONType.string: return .string(try string())
        case BSONType.document: return .document(try document(depth: depth))
        case BSONType.array: return .array(try array(depth: depth))
        case BSONType.bool: return .bool(try byte() != 0)
        case BSONType.date: return .date(try integer(Int64.self))
        case BSONType.null: return .null
        case BSONType.int32: return .int32(try integer(Int32.self))
        case BSONType.int64: return .int64(try integer(Int64.self))
        case BSONType.decimal128:
            let low = try integer(UInt64.self)
            return .decimal(Decimal128(low: low, high: try integer(UInt64.self)))
        default: return .other(try opaque(type))
        }
    }

    private mutating func opaque(_ type: UInt8) throws(BSONError) -> OpaqueValue {
        let start = at
        try skipOpaque(type)
        return OpaqueValue(type: type, bytes: [UInt8](bytes[start..<at]))
    }

    private mutating func skipOpaque(_ type: UInt8) throws(BSONError) {
        switch type {
        case BSONType.undefined, BSONType.minKey, BSONType.maxKey: break
        case BSONType.objectId: try skip(12)
        case BSONType.timestamp: try skip(8)
        case BSONType.binary: try skip(try length() + 1)
        case BSONType.javascript, BSONType.symbol: try skip(try length())
        case BSONType.dbPointer: try skip(try length() + 12)
        case BSONType.regex:
            try skipCString()
            try skipCString()
        case BSONType.javascriptWithScope:
            let start = at
            let total = try length()
            guard total >= 4 else { throw BSONError(reason: "length \(total) at byte \(start)") }
            try skip(total - 4)
        default: throw BSONError(reason: "type \(type) at byte \(at)")
        }
    }

    /// Passes over a value, of which only the length is looked at.
    mutating func skipValue(_ type: UInt8) throws(BSONError) {
        switch type {
        case BSONType.null: break
        case BSONType.bool: try skip(1)
        case BSONType.int32: try skip(4)
        case BSONType.double, BSONType.date, BSONType.int64: try skip(8)
        case BSONType.decimal128: try skip(16)
        case BSONType.string: try skip(try stringLength())
        case BSONType.document, BSONType.array:
            let length = try length()
            guard length >= 5 else { throw BSONError(reason: "document length \(length) at byte \(at - 4)") }
            try skip(length - 4)
        default: try skipOpaque(type)
        }
    }

    private mutating func length() throws(BSONError) -> Int {
        let length = Int(try integer(Int32.self))
        guard length >= 0 else { throw BSONError(reason: "length \(length) at byte \(at - 4)") }
        return length
    }

    /// Of the text that follows, with the NUL behind it.
    mutating func stringLength() throws(BSONError) -> Int {
        let count = try length()
        guard count >= 1, count <= end - at else { throw BSONError(reason: "string length \(count) at byte \(at - 4)") }
        return count
    }

    private mutating func string() throws(BSONError) -> String {
        let count = try stringLength()
        let text = String(utf8: UnsafeRawBufferPointer(rebasing: bytes[at..<(at + count - 1)]))
        at += count
        return text
    }

    private mutating func cString() throws(BSONError) -> String {
        let start = at
        try skipCString()
        return String(utf8: UnsafeRawBufferPointer(rebasing: bytes[start..<(at - 1)]))
    }

    mutating func skipCString() throws(BSONError) {
        while at < end, bytes[at] != 0 { at += 1 }
        guard at < end else { throw BSONError(reason: "a name has no end") }
        at += 1
    }

    mutating func byte() throws(BSONError) -> UInt8 {
        guard at < end else { throw BSONError(reason: "ends early at byte \(at)") }
        defer { at += 1 }
        return bytes[at]
    }

    private mutating func skip(_ count: Int) throws(BSONError) {
        guard count <= end - at else { throw BSONError(reason: "ends early at byte \(at)") }
        at += count
    }

    mutating func integer<Integer: FixedWidthInteger>(_: Integer.Type) throws(BSONError) -> Integer {
        let size = MemoryLayout<Integer>.size
        guard size <= end - at else { throw BSONError(reason: "ends early at byte \(at)") }
        defer { at += size }
        return Integer(littleEndian: bytes.loadUnaligned(fromByteOffset: at, as: Integer.self))
    }
}
