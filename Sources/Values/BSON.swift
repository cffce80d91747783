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
    public static func encode(_ document: Document) -> [UInt8] {
        var bytes: [UInt8] = []
        append(document, to: &bytes)
        return bytes
    }

    /// Bytes of the document's BSON.
    public static func size(of document: Document) -> Int { BSONCursor.size(of: document) }

    public static func append(_ document: Document, to bytes: inout [UInt8]) {
        write(BSONCursor.size(of: document), to: &bytes) { $0.write(document) }
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
    public static func appendHeader(_ type: UInt8, _ name: String, to bytes: inout [UInt8]) {
        write(name.nameSize + 2, to: &bytes) { $0.write(type, name) }
    }

    /// Type and place of an array's element whose value the caller writes next.
    public static func appendHeader(_ type: UInt8, _ place: Int, to bytes: inout [UInt8]) {
        write(place.nameSize + 2, to: &bytes) { $0.write(type, place) }
    }

    /// One element. Names must not hold NUL, which BSON cannot store: readers of JSON and YAML refuse them.
    public static func append(_ name: String, _ value: Value, to bytes: inout [UInt8]) {
        write(name.nameSize + 2 + BSONCursor.size(of: value), to: &bytes) { $0.write(name, value) }
    }

    /// An element whose value is a document that is BSON already.
    public static func append(_ name: String, encoded document: [UInt8], to bytes: inout [UInt8]) {
        appendHeader(BSONType.document, name, to: &bytes)
        bytes.append(contentsOf: document)
    }

    /// The members of a document that is BSON already.
    public static func append(membersOf document: [UInt8], to bytes: inout [UInt8]) {
        bytes.append(contentsOf: document[4..<document.count - 1])
    }

    /// An element whose value is binary, of the generic subtype.
    public static func append(_ name: String, binary data: [UInt8], to bytes: inout [UInt8]) {
        appendHeader(BSONType.binary, name, to: &bytes)
        append(Int32(data.count), to: &bytes)
        bytes.append(0)
        bytes.append(contentsOf: data)
    }

    @inlinable
    public static func append(_ value: some FixedWidthInteger, to bytes: inout [UInt8]) {
        withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }

    /// What `body` writes, so many bytes at most.
    public static func bytes(_ most: Int, _ body: (inout BSONCursor) -> Void) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: most) { buffer, count in count = fill(buffer, body) }
    }

    /// Appends what `body` writes, so many bytes at most.
    private static func write(_ most: Int, to bytes: inout [UInt8], _ body: (inout BSONCursor) -> Void) {
        bytes.append(addingCapacity: most) { room in
            room.withUnsafeMutableBufferPointer { buffer, count in
                count = fill(UnsafeMutableBufferPointer(rebasing: buffer.prefix(most)), body)
            }
        }
    }

    private static func fill(_ room: UnsafeMutableBufferPointer<UInt8>, _ body: (inout BSONCursor) -> Void) -> Int {
        guard let start = UnsafeMutableRawPointer(room.baseAddress) else { return 0 }
        var cursor = BSONCursor(at: start)
        body(&cursor)
        let count = cursor.at - start
        precondition(count <= room.count, "more was written than there was room for")
        return count
    }
}
