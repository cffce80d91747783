import Fixtures
import Values

extension Random {
    private static let decimals = [
        "0", "-0", "1", "1.0", "1.00", "5", "2.5", "-1.50", "0.1", "0E+3", "1E+3", "12.345", "1E-6176", "9.999999999999999999999999999999999E+6144", "NaN",
        "Infinity",
        "-Infinity", "9223372036854775807", "9223372036854775808", "0.3333333333333333333333333333333333", "100", "1E+20",
    ]

    /// A value of a kind, out of few enough that two are often equal.
    mutating func value(_ kind: Kind, depth: Int = 2) -> Value {
        switch kind {
        case .null: return .null
        case .bool: return .bool(once(in: 2))
        case .int: return pick([0, 1, 1, 2, 5, -1, .int32(.max), .int32(.max), .int32(.min)])
        case .long: return pick([0, 1, 1, 5, 1 << 31, (1 << 53) + 1, .max, .min].map(Value.int64))
        case .double: return pick([0, -0.0, 1, 1, 2.5, 5, -1.5, 0x1p53, 1e300, .nan, .infinity].map(Value.double))
        case .decimal: return .decimal(pick(Self.decimals.compactMap { Decimal128($0) }))
        case .string: return pick(["", "a", "b", "5", "é", "e\u{301}"])
        case .date: return pick([0, 1, 5, -1000, 1_000_000_000_000].map(Value.date))
        case .array: return .array(elements(depth: depth))
        case .object: return .document(object(depth: depth))
        case .other: return pick([.other(OpaqueValue(type: BSONType.objectId, bytes: [UInt8](repeating: 7, count: 12))), .binary([1, 2])])
        }
    }

    /// A value of a kind; half the arrays have elements of one kind only, or numbers of any width.
    mutating func value(_ kind: Kind, of content: Kind) -> Value {
        guard kind == .array, once(in: 2) else { return value(kind) }
        let numbers: [Kind] = [.int, .long, .double, .decimal]
        return .array((0..<below(5)).map { _ in value(numbers.contains(content) ? pick(numbers) : content, depth: 1) })
    }

    /// Often numbers that differ in their types alone, or documents that have members in common.
    mutating func elements(depth: Int) -> [Value] {
        let count = below(5)
        switch below(depth > 0 ? 4 : 2) {
        case 0: return (0..<count).map { _ in pick([1, .int64(1), 1.0, 2, 5, 5.0]) }
        case 1: return (0..<count).map { _ in value(pick(leaves)) }
        case 2: return (0..<count).map { _ in .document(object(depth: 0)) }
        default: return (0..<count).map { _ in value(pick(Kind.allCases), depth: depth - 1) }
        }
    }

    mutating func object(depth: Int) -> Document {
        var document = Document()
        for name in ["b", "c", "d"].shuffled(using: &self) where once(in: 2) {
            let simple: Kind = once(in: 2) ? .int : pick(leaves)
            document.append(name, once(in: 3) ? 1 : value(depth > 0 && once(in: 3) ? pick([.object, .array]) : simple, depth: depth - 1))
        }
        return document
    }

    private var leaves: [Kind] { [.null, .bool, .int, .int, .long, .double, .decimal, .string, .date, .other] }
}

extension Value {
    var kind: Kind {
        switch self {
        case .null: .null
        case .bool: .bool
        case .int32: .int
        case .int64: .long
        case .double: .double
        case .decimal: .decimal
        case .string: .string
        case .date: .date
        case .array: .array
        case .document: .object
        case .other: .other
        }
    }
}
