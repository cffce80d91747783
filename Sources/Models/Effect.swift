import Events
import Values

/// What one event does to its document: operators in the order in which the definition names them.
public struct Effect: Hashable, Sendable {
    public let operators: [Operator]
    /// `let`: values that the effect's expressions know by name. Each knows those before it.
    public let variables: [Expression.Member]
    /// `arrayFilters`: which elements `$[name]` stands for.
    public let filters: [ArrayFilter]
    /// `when`: what must be true of the event and the document for the effect to do anything.
    public let condition: Expression?
    /// `create`: whether the effect makes a document where there is none. Else it does nothing there.
    public let creates: Bool
    let plan: EffectPlan

    public init(
        _ operators: [Operator], variables: [Expression.Member] = [], filters: [ArrayFilter] = [], when condition: Expression? = nil,
        creates: Bool = true
    ) {
        self.operators = operators
        self.variables = variables
        self.filters = filters
        self.condition = condition
        self.creates = creates
        plan = EffectPlan(operators, variables, filters, when: condition, creates: creates)
    }

    /// Whether an expression of the effect looks at `$$doc`.
    public var readsDocument: Bool { plan.readsDocument }

    public static func == (left: Effect, right: Effect) -> Bool {
        left.operators == right.operators && left.variables == right.variables && left.filters == right.filters && left.condition == right.condition
            && left.creates == right.creates
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(operators)
        hasher.combine(variables)
        hasher.combine(filters)
        hasher.combine(condition)
        hasher.combine(creates)
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
