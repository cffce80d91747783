/// One value of a document: what JSON can say, what MongoDB stores, and nothing that depends on either.
///
/// `==` is identity, types included: `int32(1)` and `int64(1)` differ, as they do in what is stored. MongoDB's own
/// idea of order and equality, in which they are equal, is `Value.order(_:_:)`.
public enum Value: Sendable {
    case null
    case bool(Bool)
    case int32(Int32)
    case int64(Int64)
    case double(Double)
    case decimal(Decimal128)
    case string(String)
    /// Milliseconds since 1970-01-01T00:00:00Z.
    case date(Int64)
    case array([Value])
    case document(Document)
    /// A BSON type that Millrace keeps, compares and returns, but does not compute with.
    case other(OpaqueValue)
}

/// The bytes of a BSON value of a type that Millrace does not compute with, such as a timestamp or a regular expression.
public struct OpaqueValue: Sendable, Equatable {
    /// The BSON element type.
    public var type: UInt8
    /// The value as BSON encodes it, without type and name.
    public var bytes: [UInt8]

    public init(type: UInt8, bytes: [UInt8]) {
        self.type = type
        self.bytes = bytes
    }
}

extension Value: Equatable {
    public static func == (left: Value, right: Value) -> Bool {
        switch (left, right) {
        case (.null, .null): true
        case (.bool(let a), .bool(let b)): a == b
        case (.int32(let a), .int32(let b)): a == b
        case (.int64(let a), .int64(let b)): a == b
        case (.double(let a), .double(let b)): a.bitPattern == b.bitPattern
        case (.decimal(let a), .decimal(let b)): a == b
        case (.string(let a), .string(let b)): a.utf8Equal(b)
        case (.date(let a), .date(let b)): a == b
        case (.array(let a), .array(let b)): a == b
        case (.document(let a), .document(let b)): a == b
        case (.other(let a), .other(let b)): a == b
        default: false
        }
    }
}

extension Value {
    /// The integer as MongoDB stores one that came from JSON: int32 when it fits, else int64.
    @inlinable
    public init(integer: Int64) {
        self = Int32(exactly: integer).map(Value.int32) ?? .int64(integer)
    }

    /// The value's type as users of MongoDB know it, for messages.
    public var typeName: String {
        switch self {
        case .null: "null"
        case .bool: "bool"
        case .int32: "int"
        case .int64: "long"
        case .double: "double"
        case .decimal: "decimal"
        case .string: "string"
        case .date: "date"
        case .array: "array"
        case .document: "object"
        case .other(let other): BSONType.name(other.type)
        }
    }
}
