import Events
import Values

/// A type that values are converted to, with MongoDB's names and numbers for them.
enum Conversion: String {
    case bool, int, long, double, decimal, string, date, objectId

    init?(_ written: Value) {
        switch written {
        case .string(let name): self.init(rawValue: name)
        default:
            guard let number = written.asInteger else { return nil }
            switch number {
            case 1: self = .double
            case 2: self = .string
            case 7: self = .objectId
            case 8: self = .bool
            case 9: self = .date
            case 16: self = .int
            case 18: self = .long
            case 19: self = .decimal
            default: return nil
            }
        }
    }

    /// Whether a value names a type of BSON, also one that nothing is converted to.
    static func isType(_ written: Value) -> Bool {
        if case .string(let name) = written { return others.contains(name) || names.contains(name) }
        return written.asInteger.map { -1...19 ~= $0 || $0 == 127 } ?? false
    }

    private static let others: Set = [
        "object", "array", "binData", "undefined", "null", "regex", "dbPointer", "javascript", "symbol", "javascriptWithScope", "timestamp",
        "minKey", "maxKey", "missing",
    ]

    static let names = ["int", "long", "double", "decimal", "bool", "string", "date", "objectId"]

    func convert(_ value: Value, _ name: String) throws(Refusal) -> Value {
        guard let converted = attempt(value) else {
            throw Refusal(.badOperand, "\(name): the value, of type \(value.typeName), cannot be converted to \(rawValue)")
        }
        return converted
    }

    private func attempt(_ value: Value) -> Value? {
        switch self {
        case .bool: bool(value)
        case .int: integer(value).flatMap { Int32(exactly: $0) }.map(Value.int32)
        case .long: long(value)
        case .double: double(value)
        case .decimal: decimal(value)
        case .string: string(value)
        case .date: date(value)
        case .objectId: objectId(value)
        }
    }

    private func bool(_ value: Value) -> Value? {
        switch value {
        case .bool, .int32, .int64, .double, .decimal: .bool(value.isTrue)
        default: true
        }
    }

    private func integer(_ value: Value) -> Int64? {
        switch value {
        case .bool(let flag): flag ? 1 : 0
        case .int32(let number): Int64(number)
        case .int64(let number): number
        case .double, .decimal: value.truncatedInteger
        case .string(let text): Self.isInteger(text) ? Int64(text) : nil
        default: nil
        }
    }

    private func long(_ value: Value) -> Value? {
        if case .date(let time) = value { return .int64(time) }
        return integer(value).map(Value.int64)
    }

    private func double(_ value: Value) -> Value? {
        switch value {
        case .bool(let flag): .double(flag ? 1 : 0)
        case .int32, .int64, .double: value.asNumber.map(Value.double)
        case .decimal(let number): number.doubleInRange.map(Value.double)
        case .date(let time): .double(Double(time))
        case .string(let text): Self.number(text).map(Value.double)
        default: nil
        }
    }

    private func decimal(_ value: Value) -> Value? {
        switch value {
        case .bool(let flag): .decimal(Decimal128(flag ? 1 : 0 as Int64))
        case .date(let time): .decimal(Decimal128(time))
        case .string(let text): Decimal128(text).map(Value.decimal)
        default: value.asDecimal.map(Value.decimal)
        }
    }

    /// 24 hexadecimal digits.
    private func objectId(_ value: Value) -> Value? {
        if value.isObjectId { return value }
        guard case .string(let text) = value, text.utf8.count == 24 else { return nil }
        let digits = text.utf8.compactMap { $0.hexadecimal }
        guard digits.count == 24 else { return nil }
        return .other(OpaqueValue(type: BSONType.objectId, bytes: (0..<12).map { digits[2 * $0] << 4 | digits[2 * $0 + 1] }))
    }

    private func string(_ value: Value) -> Value? {
        switch value {
        case .bool(let flag): .string(flag ? "true" : "false")
        case .double(let number) where !number.isFinite: .string(number.isNaN ? "NaN" : (number < 0 ? "-Infinity" : "Infinity"))
        case .int32, .int64, .double, .decimal: value.numberText.map(Value.string)
        case .string: value
        case .date(let time): time.isoText.map(Value.string)
        case .other(let other) where other.type == BSONType.objectId: .string(other.bytes.map { Self.hex($0) }.joined())
        default: nil
        }
    }

    private func date(_ value: Value) -> Value? {
        switch value {
        case .int64(let number): .date(number)
        case .double, .decimal: value.truncatedInteger.map(Value.date)
        case .string(let text): WrittenDate(text)?.time(in: .utc).map(Value.date)
        default: value.asTime.map(Value.date)
        }
    }

    private static func hex(_ byte: UInt8) -> String { (byte < 16 ? "0" : "") + String(byte, radix: 16) }

    private static func isInteger(_ text: String) -> Bool {
        let digits = text.utf8.first == UInt8(ascii: "-") || text.utf8.first == UInt8(ascii: "+") ? text.utf8.dropFirst() : text.utf8[...]
        return !digits.isEmpty && digits.allSatisfy { 48...57 ~= $0 }
    }

    /// What mongod takes for a double: no spaces, no hexadecimal.
    private static func number(_ text: String) -> Double? {
        guard !text.isEmpty, !text.utf8.contains(where: { !(48...57 ~= $0) && !"+-.eEinfINFatyATYN".utf8.contains($0) }), let number = Double(text) else {
            return nil
        }
        // What no double can hold is not made one of those that can be meant.
        let digits = text.utf8.prefix { $0 | 0x20 != UInt8(ascii: "e") }
        let isMeant = number.isInfinite ? !digits.contains { 48...57 ~= $0 } : number != 0 || !digits.contains { 49...57 ~= $0 }
        return isMeant ? number : nil
    }
}

extension UInt8 {
    /// The value of a hexadecimal digit.
    fileprivate var hexadecimal: UInt8? {
        switch self {
        case 48...57: self - 48
        case 65...70: self - 55
        case 97...102: self - 87
        default: nil
        }
    }
}

extension Value {
    fileprivate var isObjectId: Bool { if case .other(let other) = self { other.type == BSONType.objectId } else { false } }
}

extension ExpressionOperator {
    /// What a value can be converted to.
    public static let types = Conversion.names

    /// Whether a value names one of them, by name or by number.
    public static func isType(_ value: Value) -> Bool { Conversion(value) != nil }
}
