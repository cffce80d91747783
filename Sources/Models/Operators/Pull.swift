import Events
import Values

/// `$pull`: takes out the elements that a condition finds.
struct Pull: Action {
    var condition: Operator.Condition

    var name: String { "$pull" }
    var operand: Operand { condition.operand }
    var purpose: PathPurpose { .change }

    func apply(to target: inout Value?, _ site: Site, _ context: Context) throws(Refusal) -> Bool {
        switch condition {
        case .equal(let expression):
            let wanted = try evaluate(expression, site, context)
            let predicate = wanted.asDocument.map(Predicate.members)
            return try remove(from: &target, site) { element in
                guard let predicate else { return element.matches(wanted) }
                return element.asDocument != nil && predicate.finds(element)
            }
        case .element(let predicate):
            let predicate = try evaluate(predicate, site, context)
            return try remove(from: &target, site, predicate.finds)
        case .members(let predicate):
            let predicate = try evaluate(predicate, site, context)
            return try remove(from: &target, site) { $0.asDocument != nil && predicate.finds($0) }
        }
    }

    private func evaluate(_ predicate: Predicate<Expression>, _ site: Site, _ context: Context) throws(Refusal) -> Predicate<Value> {
        try predicate.map { (expression) throws(Refusal) in try evaluate(expression, site, context) }
    }
}

/// `$pullAll`: takes out the elements that equal one of a list.
struct PullAll: Action {
    var values: Expression

    var name: String { "$pullAll" }
    var operand: Operand { .expression(values) }
    var purpose: PathPurpose { .change }

    func apply(to target: inout Value?, _ site: Site, _ context: Context) throws(Refusal) -> Bool {
        let values = try evaluateArray(values, name, site, context)
        return try remove(from: &target, site) { element in values.contains(where: element.matches) }
    }
}

/// `$pop`: takes out the last element, or with -1 the first.
struct Pop: Action {
    var end: Expression

    var name: String { "$pop" }
    var operand: Operand { .expression(end) }
    var purpose: PathPurpose { .change }

    func apply(to target: inout Value?, _ site: Site, _ context: Context) throws(Refusal) -> Bool {
        let end = try evaluateInteger(end, name, site, context)
        guard end == 1 || end == -1 else { throw Refusal(.badOperand, "$pop \(site.path): \(end) is neither 1, for the last element, nor -1, for the first") }
        switch target {
        case nil: return false
        case .array(var array)?:
            guard !array.isEmpty else { return false }
            target = .null
            if end == 1 { array.removeLast() } else { array.removeFirst() }
            target = .array(array)
            return true
        case let other?: throw refusal(other, not: "an array", site)
        }
    }
}

extension Action {
    fileprivate func remove(from target: inout Value?, _ site: Site, _ isWanted: (Value) -> Bool) throws(Refusal) -> Bool {
        switch target {
        case nil: return false
        case .array(let array)?:
            let kept = array.filter { !isWanted($0) }
            target = .array(kept)
            return kept.count != array.count
        case let other?: throw refusal(other, not: "an array", site)
        }
    }
}

extension Operator {
    /// Which elements `$pull` takes out.
    public enum Condition: Hashable, Sendable {
        /// Those that equal a value or, where the value is a document, have its members. Dots in their names lead into an
        /// element.
        case equal(Expression)
        /// Those that pass tests of their own: `{ $gte: 5 }`.
        case element(Predicate<Expression>)
        /// Documents whose members pass tests: `{ rating: { $lt: 3 } }`.
        case members(Predicate<Expression>)

        var operand: Operand {
            switch self {
            case .equal(let expression): .expression(expression)
            case .element(let predicate): .named([Operand.Named("element", predicate.operand)])
            case .members(let predicate): .named([Operand.Named("members", predicate.operand)])
            }
        }
    }

    public static func pull(_ path: FieldPath, _ value: Expression) -> Operator { .pull(path, where: .equal(value)) }

    public static func pull(_ path: FieldPath, where condition: Condition) -> Operator { Operator(path, Pull(condition: condition)) }

    public static func pullAll(_ path: FieldPath, _ values: Expression) -> Operator { Operator(path, PullAll(values: values)) }

    public static func pop(_ path: FieldPath, _ end: Expression) -> Operator { Operator(path, Pop(end: end)) }
}
