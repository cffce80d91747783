import Events
import Values

/// What one event does to its document: operators in the order in which the definition names them.
public struct Effect: Hashable, Sendable {
    public let operators: [Operator]
    /// `arrayFilters`: which elements `$[name]` stands for.
    public let filters: [ArrayFilter]
    let plan: EffectPlan

    public init(_ operators: [Operator], filters: [ArrayFilter] = []) {
        self.operators = operators
        self.filters = filters
        plan = EffectPlan(operators, filters)
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
