import Values

/// What JSON has no way to write, and how a stream writes it instead. All but `decimal` become dates.
public enum ValueType: String, Hashable, Sendable, CaseIterable {
    /// RFC 3339 text.
    case date
    /// Integers since 1970-01-01T00:00:00Z; what is finer than a millisecond is cut off.
    case epochDays, epochMillis, epochMicros, epochNanos
    /// A number with all its digits, or one as text.
    case decimal

    /// What it wants to find, for messages.
    var expectation: String {
        switch self {
        case .date: "an RFC 3339 date-time such as 2026-11-20T10:00:00.000Z"
        case .epochDays: "an integer of days since 1970"
        case .epochMillis: "an integer of milliseconds since 1970"
        case .epochMicros: "an integer of microseconds since 1970"
        case .epochNanos: "an integer of nanoseconds since 1970"
        case .decimal: "a decimal number of at most 34 digits, or one as text"
        }
    }

    /// The value that is meant, or nil when it is written otherwise. null stays null.
    func convert(_ node: JSONNode) -> Value? {
        if self == .decimal, let number = node.decimal { return .decimal(number) }
        return convert(node.value)
    }

    /// As above, for a value that was made of what the event says.
    func convert(_ value: Value) -> Value? {
        if value == .null { return value }
        if self == .date { return value.asString.flatMap(DateTime.parse).map(Value.date) }
        if self == .decimal { return decimal(value).map(Value.decimal) }
        guard let number = value.asInteger else { return nil }
        switch self {
        case .date, .decimal, .epochMillis: return .date(number)
        case .epochDays:
            let (product, overflow) = number.multipliedReportingOverflow(by: 86_400_000)
            return overflow ? nil : .date(product)
        case .epochMicros: return .date(number.floored(by: 1000).quotient)
        case .epochNanos: return .date(number.floored(by: 1_000_000).quotient)
        }
    }
}

extension ValueType {
    private func decimal(_ value: Value) -> Decimal128? {
        switch value {
        case .string(let text): Decimal128(text)
        // The shortest text that gives the double again.
        case .double(let number): Decimal128(String(number))
        default: value.asDecimal
        }
    }
}

/// The types of values by their paths: `data.at`, `row.created`. A name applied to a list is applied to each of its
/// elements.
public struct TypeTree: Hashable, Sendable {
    public private(set) var type: ValueType?
    public private(set) var members: [String: TypeTree] = [:]

    public init() {}

    /// nil when two of the paths exclude each other.
    public init?(_ paths: [(path: [String], type: ValueType)]) {
        for (path, type) in paths {
            guard insert(type, at: path[...]) else { return nil }
        }
    }

    public var isEmpty: Bool { type == nil && members.isEmpty }

    public subscript(name: String) -> TypeTree? { members[name] }

    /// False when the path leads into or beside a value that has a type already.
    public mutating func insert(_ type: ValueType, at path: ArraySlice<String>) -> Bool {
        guard self.type == nil else { return false }
        guard let name = path.first else {
            guard members.isEmpty else { return false }
            self.type = type
            return true
        }
        var member = members[name] ?? TypeTree()
        guard member.insert(type, at: path.dropFirst()) else { return false }
        members[name] = member
        return true
    }

    /// The member's value with the types that are meant.
    func apply(to member: EventMember, at path: @autoclosure () -> String) throws(Refusal) -> Value {
        switch member {
        case .node(let node): try read(node, at: path())
        case .value(let value): try apply(to: value, at: path())
        }
    }

    private func read(_ node: JSONNode, at path: @autoclosure () -> String) throws(Refusal) -> Value {
        if let type {
            guard let converted = type.convert(node) else { throw Self.refusal(node.value, type, at: path()) }
            return converted
        }
        switch node.kind {
        case .object:
            var document = Document()
            for (name, value) in node.members {
                document.append(name, try members[name]?.read(value, at: path() + "." + name) ?? value.value)
            }
            return .document(document)
        case .array:
            var elements: [Value] = []
            for element in node.elements { elements.append(try read(element, at: path())) }
            return .array(elements)
        default: return node.value
        }
    }

    private static func refusal(_ value: Value, _ type: ValueType, at path: String) -> Refusal {
        Refusal(.badValue, "\(path) must be \(type.expectation), found a value of type \(value.typeName)")
    }

    private func apply(to value: Value, at path: @autoclosure () -> String) throws(Refusal) -> Value {
        if let type {
            guard let converted = type.convert(value) else { throw Self.refusal(value, type, at: path()) }
            return converted
        }
        switch value {
        case .document(var document):
            for place in document.fields.indices {
                guard let member = members[document.fields[place].name] else { continue }
                let name = document.fields[place].name
                document.fields[place].value = try member.apply(to: document.fields[place].value, at: path() + "." + name)
            }
            return .document(document)
        case .array(let elements):
            var converted: [Value] = []
            for element in elements { converted.append(try apply(to: element, at: path())) }
            return .array(converted)
        default: return value
        }
    }

    /// Every path and its type, in order of the paths.
    var paths: [(path: [String], type: ValueType)] {
        if let type { return [([], type)] }
        return members.sorted { $0.key < $1.key }.flatMap { name, member in member.paths.map { ([name] + $0.path, $0.type) } }
    }
}
