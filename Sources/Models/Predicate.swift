import Events
import Values

/// What `$pull` and `arrayFilters` ask of an element: MongoDB's query language, as far as it is pure. Its operands are
/// expressions, and for one event values.
public indirect enum Predicate<Wanted> {
    /// The test of what is found at a path below the element; without a path, of the element itself.
    case member([String], Test<Wanted>)
    case all([Predicate])
    case any([Predicate])
    case not(Predicate)
}

/// What is asked of one value.
public indirect enum Test<Wanted> {
    case compares(Comparison, Wanted)
    /// `$in`: equals an element of an array.
    case isIn(Wanted)
    case exists
    /// `$elemMatch` with tests: an array of which one element passes them.
    case hasElement(Predicate<Wanted>)
    /// `$elemMatch` with members: an array of which one element is a document that has them.
    case hasDocument(Predicate<Wanted>)
}

/// By MongoDB's order, among values of one type; numbers of every width are one type.
public enum Comparison: String, Hashable, Sendable, CaseIterable {
    case equal = "$eq"
    case less = "$lt"
    case lessOrEqual = "$lte"
    case greater = "$gt"
    case greaterOrEqual = "$gte"
}

extension Predicate: Equatable where Wanted: Equatable {}
extension Predicate: Hashable where Wanted: Hashable {}
extension Predicate: Sendable where Wanted: Sendable {}
extension Test: Equatable where Wanted: Equatable {}
extension Test: Hashable where Wanted: Hashable {}
extension Test: Sendable where Wanted: Sendable {}

extension Predicate<Expression> {
    /// With the operands' values. Throws what `evaluate` throws, and where `$in` gets no array.
    func map(_ evaluate: (Expression) throws(Refusal) -> Value) throws(Refusal) -> Predicate<Value> {
        switch self {
        case .member(let path, let test): .member(path, try test.map(evaluate))
        case .all(let parts): .all(try Self.map(parts, evaluate))
        case .any(let parts): .any(try Self.map(parts, evaluate))
        case .not(let part): .not(try part.map(evaluate))
        }
    }

    private static func map(_ parts: [Self], _ evaluate: (Expression) throws(Refusal) -> Value) throws(Refusal) -> [Predicate<Value>] {
        try parts.map { (part) throws(Refusal) in try part.map(evaluate) }
    }

    public var operand: Operand {
        switch self {
        case .member(let path, let test):
            .named([Operand.Named("member", .list(path.map { .literal(.init(.string($0))) })), Operand.Named("test", test.operand)])
        case .all(let parts): .named([Operand.Named("all", .list(parts.map(\.operand)))])
        case .any(let parts): .named([Operand.Named("any", .list(parts.map(\.operand)))])
        case .not(let part): .named([Operand.Named("not", part.operand)])
        }
    }
}

extension Test<Expression> {
    fileprivate func map(_ evaluate: (Expression) throws(Refusal) -> Value) throws(Refusal) -> Test<Value> {
        switch self {
        case .compares(let comparison, let wanted): return .compares(comparison, try evaluate(wanted))
        case .isIn(let list):
            let value = try evaluate(list)
            guard case .array = value else { throw Refusal(.badOperand, "$in needs an array, found a value of type \(value.typeName)") }
            return .isIn(value)
        case .exists: return .exists
        case .hasElement(let predicate): return .hasElement(try predicate.map(evaluate))
        case .hasDocument(let predicate): return .hasDocument(try predicate.map(evaluate))
        }
    }

    fileprivate var operand: Operand {
        switch self {
        case .compares(let comparison, let wanted): .named([Operand.Named(comparison.rawValue, .expression(wanted))])
        case .isIn(let list): .named([Operand.Named("$in", .expression(list))])
        case .exists: .named([Operand.Named("$exists", .none)])
        case .hasElement(let predicate): .named([Operand.Named("element", predicate.operand)])
        case .hasDocument(let predicate): .named([Operand.Named("document", predicate.operand)])
        }
    }
}
