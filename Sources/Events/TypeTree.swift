import Values

/// What JSON has no way to write, and how a stream writes it instead. All of them become dates.
public enum ValueType: String, Hashable, Sendable, CaseIterable {
    /// RFC 3339 text.
    case date
    /// Integers since 1970-01-01T00:00:00Z; what is finer than a millisecond is cut off.
    case epochDays, epochMillis, epochMicros, epochNanos

    /// What it wants to find, for messages.
    var expectation: String {
        switch self {
        case .date: "an RFC 3339 date-time such as 2026-11-20T10:00:00.000Z"
        case .epochDays: "an integer of days since 1970"
        case .epochMillis: "an integer of milliseconds since 1970"
        case .epochMicros: "an integer of microseconds since 1970"
        case .epochNanos: "an integer of nanoseconds since 1970"
        }
    }

    /// The value that is meant, or nil when it is written otherwise. null stays null.
    func convert(_ value: Value) -> Value? {
        if value == .null { return value }
        if self == .date { return value.asString.flatMap(DateTime.parse).map(Value.date) }
        guard let number = value.asInteger else { return nil }
        switch self {
        case .date, .epochMillis: return .date(number)
        case .epochDays:
            let (product, overflow) = number.multipliedReportingOverflow(by: 86_400_000)
            return overflow ? nil : .date(product)
        case .epochMicros: return .date(number.floored(by: 1000).quotient)
        case .epochNanos: return .date(number.floored(by: 1_000_000).quotient)
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

    /// The value with the types that are meant.
    func apply(to value: Value, at path: @autoclosure () -> String) throws(Refusal) -> Value {
        if let type {
            guard let converted = type.convert(value) else {
                throw Refusal(.badValue, "\(path()) must be \(type.expectation), found a value of type \(value.typeName)")
            }
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
