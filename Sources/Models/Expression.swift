import Events
import Values

/// What an operator's value is computed from. Only what holds another expression by value is indirect: looking into a box
/// counts what is in it, and every event looks into its effects' expressions.
public enum Expression: Hashable, Sendable {
    case literal(Literal)
    /// `$name.path…`: the event.
    case event(name: Event.MemberName, path: [String])
    /// `$$doc.path…`: the document as it was before this effect.
    case document(path: [String])
    /// `$$name.path…`: what an operator around it has given a name, such as `$$this`.
    case variable(name: String, path: [String])
    case object([Member])
    case array([Expression])
    /// `{ $operator: … }`.
    indirect case apply(Application)

    public struct Member: Hashable, Sendable {
        public var name: String
        public var value: Expression

        public init(_ name: String, _ value: Expression) {
            self.name = name
            self.value = value
        }
    }

    /// A value with the identity that `Value.==` has.
    public struct Literal: Hashable, Sendable {
        public var value: Value

        public init(_ value: Value) { self.value = value }

        public func hash(into hasher: inout Hasher) { hasher.combine(JSON.write(value)) }
    }

    /// The value, or nil when it is missing. Inside an object a missing member is left out; inside an array it is null,
    /// as in MongoDB. Throws where an operator does not take what it is given.
    func evaluate(_ context: Context) throws(Refusal) -> Value? {
        switch self {
        case .literal(let literal): return literal.value
        case .event(let name, let path): return context.event.value(name, path)
        case .document(let path): return context.document(path)
        case .variable(let name, let path): return context.variable(name)?.resolve(path)
        case .object(let members):
            var document = Document()
            document.fields.reserveCapacity(members.count)
            for member in members {
                if let value = try member.value.evaluate(context) { document.append(member.name, value) }
            }
            return .document(document)
        case .array(let elements):
            var values: [Value] = []
            values.reserveCapacity(elements.count)
            for element in elements { values.append(try element.evaluate(context) ?? .null) }
            return .array(values)
        case .apply(let application): return try application.evaluate(context)
        }
    }

    /// Whether an operator in it evaluates an expression for each element of an array.
    var iterates: Bool {
        switch self {
        case .literal, .event, .document, .variable: false
        case .object(let members): members.contains { $0.value.iterates }
        case .array(let elements): elements.contains(where: \.iterates)
        case .apply(let application):
            application.op.parameters.contains { $0.scope != .none } || application.arguments.contains { $0?.iterates ?? false }
        }
    }

    var readsDocument: Bool {
        switch self {
        case .document: true
        case .literal, .event, .variable: false
        case .object(let members): members.contains { $0.value.readsDocument }
        case .array(let elements): elements.contains(where: \.readsDocument)
        case .apply(let application): application.arguments.contains { $0?.readsDocument ?? false }
        }
    }
}
