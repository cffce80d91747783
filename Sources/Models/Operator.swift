import Events

/// One operator applied to one path. Names and meaning are those of MongoDB's update operators.
public struct Operator: Hashable, Sendable {
    /// The path it changes: that of the document itself, without parts, for `$delete`.
    public let path: FieldPath
    let action: any Action

    init(_ path: FieldPath, _ action: any Action) {
        self.path = path
        self.action = action
    }

    /// As a definition writes it: `$inc`.
    public var name: String { action.name }

    public var operand: Operand { action.operand }

    /// Other paths that it changes: the source of a `$rename`, whose path is the target.
    public var sources: [FieldPath] { (action as? Rename).map { [$0.source] } ?? [] }

    /// The same at another path.
    public func at(_ path: FieldPath) -> Operator { Operator(path, action) }

    /// The same along the path that an event leads it.
    func resolve(_ context: Context) throws(Refusal) -> Operator { path.computed.isEmpty ? self : Operator(try path.resolve(context), action) }

    /// Whether it removes the document.
    public var isDelete: Bool { action is Delete }

    public static func == (left: Operator, right: Operator) -> Bool {
        left.name == right.name && left.path == right.path && left.operand == right.operand
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(name)
        hasher.combine(path)
        hasher.combine(operand)
    }
}

/// What an operator is given, for those who need not know the operator: its expressions, and the words between them.
/// With name and path it is the operator's identity.
public indirect enum Operand: Hashable, Sendable {
    case none
    case expression(Expression)
    case named([Named])
    case list([Operand])

    public struct Named: Hashable, Sendable {
        public var name: String
        public var operand: Operand

        public init(_ name: String, _ operand: Operand) {
            self.name = name
            self.operand = operand
        }
    }

    static func literal(_ expression: Expression.Literal) -> Operand { .expression(.literal(expression)) }

    var expressions: [Expression] {
        switch self {
        case .none: []
        case .expression(let expression): [expression]
        case .named(let members): members.flatMap(\.operand.expressions)
        case .list(let operands): operands.flatMap(\.expressions)
        }
    }

}
