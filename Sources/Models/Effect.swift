import Events
import Values

/// What one event does to its document: operators in the order in which the definition names them.
///
/// The operators' paths are compiled here, once, so that an event only follows them.
public struct Effect: Hashable, Sendable {
    public let operators: [Operator]
    /// `arrayFilters`: which elements `$[name]` stands for.
    public let filters: [ArrayFilter]
    let plan: Plan

    /// What an event has to do.
    enum Plan: Sendable {
        case delete
        case update(PathNode.Members)
        /// The operators get in each other's way: the effect takes no event.
        case refuse(Refusal)
    }

    /// Whether an expression of the effect looks at `$$doc`.
    let readsDocument: Bool
    /// Whether a refusal can come after a change. A single operator with a single target is refused before it changes
    /// anything.
    let needsUndo: Bool
    /// Whether a path has `$[]` or `$[name]` in it.
    let isPositional: Bool
    /// The places of `$rename` among the operators.
    let renames: [Int]

    public init(_ operators: [Operator], filters: [ArrayFilter] = []) {
        self.operators = operators
        self.filters = filters
        plan = Plan(operators, filters)
        readsDocument = operators.contains { $0.operand.readsDocument } || filters.contains { $0.predicate.operand.readsDocument }
        renames = operators.indices.filter { operators[$0].action is Rename }
        isPositional = operators.contains { $0.path.isPositional }
        needsUndo = operators.count > 1 || isPositional || !renames.isEmpty
    }

    public static func == (left: Effect, right: Effect) -> Bool { left.operators == right.operators && left.filters == right.filters }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(operators)
        hasher.combine(filters)
    }
}

/// The elements of an array that `$[name]` stands for.
public struct ArrayFilter: Hashable, Sendable {
    public var name: String
    public var predicate: Predicate<Expression>

    public init(_ name: String, _ predicate: Predicate<Expression>) {
        self.name = name
        self.predicate = predicate
    }
}

extension Effect.Plan {
    fileprivate init(_ operators: [Operator], _ filters: [ArrayFilter]) {
        if operators.contains(where: { $0.action is Delete }) {
            self = operators.count == 1 ? .delete : .refuse(Refusal(.pathConflict, "$delete stands beside other operators"))
            return
        }
        do throws(Refusal) {
            try Self.checkSources(operators)
            self = .update(try PathNode.Members(operators, filters))
        } catch {
            self = .refuse(error)
        }
    }

    /// What a `$rename` takes away is nobody else's to change.
    private static func checkSources(_ operators: [Operator]) throws(Refusal) {
        for (number, op) in operators.enumerated() {
            for source in op.sources {
                let others = operators.enumerated().flatMap { other, op in other == number ? [op.path] : [op.path] + op.sources }
                guard let other = others.first(where: source.conflicts) else { continue }
                throw Refusal(.pathConflict, "\(source) and \(other) of one effect conflict")
            }
        }
    }
}
