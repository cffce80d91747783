import Events
import Values

/// An effect, compiled once, so that an event has only paths to follow. A class, because a fold reaches for it with every
/// event, and counting one reference is all that costs then.
final class EffectPlan: Sendable {
    let kind: Kind
    /// Where an update leads; nowhere, unless the effect is one whose paths are the same for each event.
    let paths: PathNode.Members
    let variables: [Expression.Member]
    let filters: [ArrayFilter]
    let condition: Expression?
    let creates: Bool
    /// What enters rows before the paths are followed.
    let contributions: [(site: Site, action: Contribute)]
    /// The places of `$rename` among the operators, and their sources.
    let renames: [(number: Int, source: FieldPath)]
    /// Whether an expression of the effect looks at `$$doc`.
    let readsDocument: Bool
    /// Whether an expression of the effect goes through an array.
    let iterates: Bool
    /// Whether a path has `$[]` or `$[name]` in it.
    let isPositional: Bool
    /// Whether something is done before the paths are followed.
    let isPrepared: Bool
    /// Whether a refusal can come after a change. A single operator with a single target is refused before it changes
    /// anything.
    let needsUndo: Bool

    enum Kind: Sendable {
        case delete
        case update
        /// Paths that each event leads elsewhere.
        case computed([Operator])
        /// The operators get in each other's way: the effect takes no event.
        case refuse(Refusal)
    }

    init(_ operators: [Operator], _ variables: [Expression.Member], _ filters: [ArrayFilter], when condition: Expression?, creates: Bool) {
        let contributions = operators.enumerated().compactMap { number, op in
            (op.action as? Contribute).map { (site: Site(path: op.path, number: number), action: $0) }
        }
        // Each contribution's sums are set like any other value.
        let operators = contributions.isEmpty ? operators : operators.flatMap { ($0.action as? Contribute)?.operators ?? [$0] }
        (kind, paths) = Self.compile(operators, filters)
        self.contributions = contributions
        self.variables = variables
        self.filters = filters
        self.condition = condition
        self.creates = creates
        renames = operators.enumerated().flatMap { number, op in op.sources.map { (number, $0) } }
        let expressions =
            operators.flatMap { $0.operand.expressions + $0.path.expressions } + contributions.flatMap(\.action.operand.expressions)
            + variables.map(\.value) + filters.flatMap(\.predicate.operand.expressions) + (condition.map { [$0] } ?? [])
        readsDocument = expressions.contains(where: \.readsDocument)
        iterates = expressions.contains(where: \.iterates)
        isPositional = operators.contains { $0.path.isPositional }
        isPrepared = !contributions.isEmpty || isPositional || !renames.isEmpty
        needsUndo = operators.count > 1 || isPrepared
    }
}

extension EffectPlan {
    private static func compile(_ operators: [Operator], _ filters: [ArrayFilter]) -> (Kind, PathNode.Members) {
        let nowhere = PathNode.Members([])
        if operators.contains(where: { $0.action is Delete }) {
            return (operators.count == 1 ? .delete : .refuse(Refusal(.pathConflict, "$delete stands beside other operators")), nowhere)
        }
        do throws(Refusal) {
            try checkSources(operators)
            let tree = try PathNode.Members.tree(operators, filters)
            return operators.allSatisfy(\.path.computed.isEmpty) ? (.update, tree) : (.computed(operators), nowhere)
        } catch {
            return (.refuse(error), nowhere)
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
