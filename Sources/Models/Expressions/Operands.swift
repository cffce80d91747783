import Events
import Values

/// The values that an operator is applied to, by place. Those that are missing, or were left out, are nil.
struct Operands {
    let application: Application
    let values: [Value?]

    subscript(place: Int) -> Value? { place < values.count ? values[place] : nil }

    var name: String { application.op.name }

    /// Whether the definition has an argument there, missing or not.
    func isGiven(_ place: Int) -> Bool { place < application.arguments.count && application.arguments[place] != nil }

    /// Whether one of the first values is null or missing.
    func isNull(_ places: Range<Int>) -> Bool { places.contains { self[$0].isNullish } }

    func refusal(_ message: String) -> Refusal { Refusal(.badOperand, "\(name): \(message)") }

    func refusal(_ value: Value?, not wanted: String) -> Refusal { refusal("a value of type \(value.typeName) is not \(wanted)") }

    func overflow() -> Refusal { Refusal(.numberOverflow, "\(name): the result leaves the range of its type") }

    func array(_ place: Int) throws(Refusal) -> [Value] {
        guard case .array(let array)? = self[place] else { throw refusal(self[place], not: "an array") }
        return array
    }

    func string(_ place: Int) throws(Refusal) -> String {
        guard case .string(let text)? = self[place] else { throw refusal(self[place], not: "a string") }
        return text
    }

    func document(_ place: Int) throws(Refusal) -> Document {
        guard case .document(let document)? = self[place] else { throw refusal(self[place], not: "an object") }
        return document
    }

    func number(_ place: Int) throws(Refusal) -> Double {
        guard let number = self[place]?.asNumber else { throw refusal(self[place], not: "a number") }
        return number
    }

    /// A whole number of 32 bits, of whatever type.
    func int32(_ place: Int) throws(Refusal) -> Int {
        guard let integer = self[place]?.asInteger, let small = Int32(exactly: integer) else {
            throw refusal(self[place], not: "a whole number of 32 bits")
        }
        return Int(small)
    }
}

extension Value {
    /// A number of any width as a double.
    var asNumber: Double? {
        switch self {
        case .int32(let number): Double(number)
        case .int64(let number): Double(number)
        case .double(let number): number
        case .decimal(let number): number.double
        default: nil
        }
    }

    var isDecimal: Bool { if case .decimal = self { true } else { false } }
    var isDouble: Bool { if case .double = self { true } else { false } }
    var isLong: Bool { if case .int64 = self { true } else { false } }
    var isInt: Bool { if case .int32 = self { true } else { false } }

    /// Whether it is a number, and zero.
    var isZero: Bool { asNumber != nil && !isTrue }

    /// Whether a condition takes it for true: all but null, false and zeros.
    var isTrue: Bool {
        switch self {
        case .null: false
        case .bool(let value): value
        case .int32(let number): number != 0
        case .int64(let number): number != 0
        case .double(let number): number != 0
        case .decimal(let number): !number.isZero
        case .other(let other): other.type != BSONType.undefined
        default: true
        }
    }
}

extension Value? {
    /// Whether it is missing, null, or the `undefined` of old documents.
    var isNullish: Bool {
        switch self {
        case nil, .null?: true
        case .other(let other)?: other.type == BSONType.undefined
        default: false
        }
    }

    var isTrue: Bool { self?.isTrue ?? false }
    var typeName: String { self?.typeName ?? "missing" }

    /// MongoDB's order, in which what is missing comes before null.
    static func order(_ left: Value?, _ right: Value?) -> Int {
        switch (left, right) {
        case (let left?, let right?): Value.order(left, right)
        case (nil, nil): 0
        case (nil, let value?): value.isMissingLike ? 0 : (value.isMinKey ? 1 : -1)
        case (let value?, nil): value.isMissingLike ? 0 : (value.isMinKey ? -1 : 1)
        }
    }
}

extension Value {
    fileprivate var isMissingLike: Bool { if case .other(let other) = self { other.type == BSONType.undefined } else { false } }
    fileprivate var isMinKey: Bool { if case .other(let other) = self { other.type == BSONType.minKey } else { false } }
}
