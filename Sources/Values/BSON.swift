/// The numbers that BSON gives to its types (bsonspec.org, version 1.1).
public enum BSONType {
    public static let double: UInt8 = 0x01
    public static let string: UInt8 = 0x02
    public static let document: UInt8 = 0x03
    public static let array: UInt8 = 0x04
    public static let binary: UInt8 = 0x05
    public static let undefined: UInt8 = 0x06
    public static let objectId: UInt8 = 0x07
    public static let bool: UInt8 = 0x08
    public static let date: UInt8 = 0x09
    public static let null: UInt8 = 0x0A
    public static let regex: UInt8 = 0x0B
    public static let dbPointer: UInt8 = 0x0C
    public static let javascript: UInt8 = 0x0D
    public static let symbol: UInt8 = 0x0E
    public static let javascriptWithScope: UInt8 = 0x0F
    public static let int32: UInt8 = 0x10
    public static let timestamp: UInt8 = 0x11
    public static let int64: UInt8 = 0x12
    public static let decimal128: UInt8 = 0x13
    public static let minKey: UInt8 = 0xFF
    public static let maxKey: UInt8 = 0x7F

    /// The name MongoDB's `$type` uses.
    public static func name(_ type: UInt8) -> String {
        switch type {
        case binary: "binData"
        case undefined: "undefined"
        case objectId: "objectId"
        case regex: "regex"
        case dbPointer: "dbPointer"
        case javascript: "javascript"
        case symbol: "symbol"
        case javascriptWithScope: "javascriptWithScope"
        case timestamp: "timestamp"
        case decimal128: "decimal"
        case minKey: "minKey"
        case maxKey: "maxKey"
        default: "BSON type \(type)"
        }
    }
}

/// Why bytes are not the BSON they should be.
public struct BSONError: Error, Equatable, CustomStringConvertible {
    public var reason: String
    public init(reason: String) { self.reason = reason }

    public var description: String { "not valid BSON: \(reason)" }
}

/// BSON out: values appended to a byte array.
public enum BSON {
    /// Levels of nesting that a stored document may have; MongoDB refuses more.
    public static let maximumDepth = 180

    /// The document's BSON.
    @inlinable
    public static func encode(_ document: Document) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(256)
        append(document, to: &bytes)
        return bytes
    }

    @inlinable
    public static func append(_ document: Document, to bytes: inout [UInt8]) {
        let start = openDocument(&bytes)
        for field in document.fields { append(field.name, field.value, to: &bytes) }
        closeDocument(start, &bytes)
    }

    /// Reserves the length of a document that is written piece by piece; `closeDocument` fills it in.
    @inlinable
    public static func openDocument(_ bytes: inout [UInt8]) -> Int {
        let start = bytes.count
        append(Int32(0), to: &bytes)
        return start
    }

    @inlinable
    public static func closeDocument(_ start: Int, _ bytes: inout [UInt8]) {
        bytes.append(0)
        let length = UInt32(bytes.count - start).littleEndian
        bytes.withUnsafeMutableBytes { $0.storeBytes(of: length, toByteOffset: start, as: UInt32.self) }
    }

    /// Type and name of an element whose value the caller writes next.
    @inlinable
    public static func appendHeader(_ type: UInt8, _ name: String, to bytes: inout [UInt8]) {
        bytes.append(type)
        append(utf8: name, to: &bytes)
        bytes.append(0)
    }

    /// One element. Names must not hold NUL, which BSON cannot store: readers of JSON and YAML refuse them.
    public static func append(_ name: String, _ value: Value, to bytes: inout [UInt8]) {
        switch value {
        case .null: appendHeader(BSONType.null, name, to: &bytes)
        case .bool(let value):
            appendHeader(BSONType.bool, name, to: &bytes)
            bytes.append(value ? 1 : 0)
        case .int32(let value):
            appendHeader(BSONType.int32, name, to: &bytes)
            append(value, to: &bytes)
        case .int64(let value):
            appendHeader(BSONType.int64, name, to: &bytes)
            append(value, to: &bytes)
        case .double(let value):
            appendHeader(BSONType.double, name, to: &bytes)
            append(Int64(bitPattern: value.bitPattern), to: &bytes)
        case .date(let value):
            appendHeader(BSONType.date, name, to: &bytes)
            append(value, to: &bytes)
        case .string(let value):
            appendHeader(BSONType.string, name, to: &bytes)
            appendString(value, to: &bytes)
        case .document(let value):
            appendHeader(BSONType.document, name, to: &bytes)
            append(value, to: &bytes)
        case .array(let values):
            appendHeader(BSONType.array, name, to: &bytes)
            let start = openDocument(&bytes)
            for (index, value) in values.enumerated() { append(String(index), value, to: &bytes) }
            closeDocument(start, &bytes)
        case .other(let value):
            appendHeader(value.type, name, to: &bytes)
            bytes.append(contentsOf: value.bytes)
        }
    }

    /// An element whose value is a document that is BSON already.
    @inlinable
    public static func append(_ name: String, encoded document: [UInt8], to bytes: inout [UInt8]) {
        appendHeader(BSONType.document, name, to: &bytes)
        bytes.append(contentsOf: document)
    }

    /// A string value: length, bytes, NUL.
    @inlinable
    public static func appendString(_ value: String, to bytes: inout [UInt8]) {
        append(Int32(value.utf8.count + 1), to: &bytes)
        append(utf8: value, to: &bytes)
        bytes.append(0)
    }

    @inlinable
    public static func append(_ value: some FixedWidthInteger, to bytes: inout [UInt8]) {
        withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }

    @inlinable
    static func append(utf8 text: String, to bytes: inout [UInt8]) {
        var text = text
        text.withUTF8 { bytes.append(contentsOf: $0) }
    }
}
