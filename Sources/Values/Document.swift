/// An ordered list of named values. The order is part of the document, as it is in MongoDB.
public struct Document: Sendable, Equatable {
    /// One member.
    public struct Field: Sendable, Equatable {
        public var name: String
        public var value: Value

        @inlinable
        public init(_ name: String, _ value: Value) {
            self.name = name
            self.value = value
        }

        public static func == (left: Field, right: Field) -> Bool {
            left.name.utf8Equal(right.name) && left.value == right.value
        }
    }

    public var fields: [Field]

    @inlinable
    public init(_ fields: [Field] = []) {
        self.fields = fields
    }

    @inlinable public var isEmpty: Bool { fields.isEmpty }

    /// The place of a name, or nil. Documents are small, and a walk over them is faster than a table.
    @inlinable
    public func index(of name: String) -> Int? {
        for index in fields.indices where fields[index].name.utf8Equal(name) { return index }
        return nil
    }

    /// The value of a name; setting an absent name appends it, setting nil removes it.
    @inlinable
    public subscript(name: String) -> Value? {
        get { index(of: name).map { fields[$0].value } }
        set {
            switch (index(of: name), newValue) {
            case (let index?, let value?): fields[index].value = value
            case (let index?, nil): fields.remove(at: index)
            case (nil, let value?): append(name, value)
            case (nil, nil): break
            }
        }
    }

    /// Appends without looking for the name: for callers that know it is new.
    @inlinable
    public mutating func append(_ name: String, _ value: Value) {
        if fields.capacity == 0 { fields.reserveCapacity(2) }
        fields.append(Field(name, value))
    }
}

extension Document: ExpressibleByDictionaryLiteral {
    public init(dictionaryLiteral elements: (String, Value)...) {
        fields = elements.map { Field($0.0, $0.1) }
    }
}

// Literals make commands, filters and tests readable.
extension Value: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral, ExpressibleByFloatLiteral,
    ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral, ExpressibleByNilLiteral
{
    public init(stringLiteral value: String) { self = .string(value) }
    public init(integerLiteral value: Int64) { self = Value(integer: value) }
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    public init(floatLiteral value: Double) { self = .double(value) }
    public init(arrayLiteral elements: Value...) { self = .array(elements) }
    public init(dictionaryLiteral elements: (String, Value)...) { self = .document(Document(elements.map { Document.Field($0.0, $0.1) })) }
    public init(nilLiteral: ()) { self = .null }
}

// What readers of stored documents ask for. Each is nil when the type is another.
extension Value {
    public var asString: String? { if case .string(let value) = self { value } else { nil } }
    public var asBool: Bool? { if case .bool(let value) = self { value } else { nil } }
    public var asDocument: Document? { if case .document(let value) = self { value } else { nil } }
    public var asArray: [Value]? { if case .array(let value) = self { value } else { nil } }
    public var asDate: Int64? { if case .date(let value) = self { value } else { nil } }

    /// The number as a decimal; doubles with the 15 digits that mongod takes for theirs.
    public var asDecimal: Decimal128? {
        switch self {
        case .int32(let value): Decimal128(Int64(value))
        case .int64(let value): Decimal128(value)
        case .double(let value): Decimal128(fifteenDigitsOf: value)
        case .decimal(let value): value
        default: nil
        }
    }

    /// An integer of either width, or a double or decimal that is one (a shell writes every number as a double).
    public var asInteger: Int64? {
        switch self {
        case .int32(let value): Int64(value)
        case .int64(let value): value
        case .double(let value): Int64(exactly: value)
        case .decimal(let value): value.integer
        default: nil
        }
    }

    /// The bytes of a binary value, whatever its subtype.
    public var asBinary: ArraySlice<UInt8>? {
        guard case .other(let value) = self, value.type == BSONType.binary, value.bytes.count >= 5 else { return nil }
        return value.bytes[5...]
    }

    /// A binary value of the generic subtype.
    public static func binary(_ bytes: some Collection<UInt8>, subtype: UInt8 = 0) -> Value {
        var encoded: [UInt8] = []
        encoded.reserveCapacity(bytes.count + 5)
        BSON.append(Int32(bytes.count), to: &encoded)
        encoded.append(subtype)
        encoded.append(contentsOf: bytes)
        return .other(OpaqueValue(type: BSONType.binary, bytes: encoded))
    }
}
