import Events
import Values

@testable import Models

/// A fold with one mistake in it, such as somebody might make. The test must find each.
struct Fault: Sendable {
    var name: String
    /// The faulty operator in place of the right one, if that is the one with the mistake.
    var replace: @Sendable (any Action) -> (any Action)?

    /// The effect with the mistake; nil where it has no such operator.
    func callAsFunction(_ effect: Effect) -> Effect? {
        guard effect.operators.contains(where: { replace($0.action) != nil }) else { return nil }
        return Effect(effect.operators.map { op in replace(op.action).map { Operator(op.path, $0) } ?? op }, filters: effect.filters)
    }

    static let all = [
        Fault(name: "$inc does not widen int32") { ($0 as? Increment).map(NarrowIncrement.init) },
        Fault(name: "$addToSet tells 1 and 1.0 apart") { ($0 as? AddToSet).map(ExactAddToSet.init) },
        Fault(name: "$slice keeps one element too many from the end") { ($0 as? Push).map(LongSlice.init) },
        Fault(name: "$pull of a document wants it equal, not to have its members") { ($0 as? Pull).map(ExactPull.init) },
        Fault(name: "$max compares numbers by their type first") { action in
            (action as? Bound).flatMap { $0.side == .most ? TypedMaximum(right: $0) : nil }
        },
    ]
}

/// An operator that does something else in some cases, and what the right one does in all others.
private protocol Faulty: Action {
    associatedtype Right: Action
    var right: Right { get }
}

extension Faulty {
    var name: String { right.name }
    var operand: Operand { right.operand }
    var purpose: PathPurpose { right.purpose }
}

private struct NarrowIncrement: Faulty {
    var right: Increment

    func apply(to target: inout Value?, _ site: Site, _ context: Context) throws(Refusal) -> Bool {
        guard case .int32(let a)? = target, case .int32(let b)? = try right.amount.evaluate(context) else { return try right.apply(to: &target, site, context) }
        target = .int32(a &+ b)
        return b != 0
    }
}

private struct ExactAddToSet: Faulty {
    var right: AddToSet

    func apply(to target: inout Value?, _ site: Site, _ context: Context) throws(Refusal) -> Bool {
        let before = target?.asArray ?? []
        let changed = try right.apply(to: &target, site, context)
        let values: [Value]? =
            switch right.elements {
            case .one(let expression): try expression.evaluate(context).map { [$0] }
            case .each(let expression): try expression.evaluate(context)?.asArray
            }
        var array = before
        for value in values ?? [] where !array.contains(value) { array.append(value) }
        target = .array(array)
        return changed || array.count != before.count
    }
}

private struct LongSlice: Faulty {
    var right: Push

    func apply(to target: inout Value?, _ site: Site, _ context: Context) throws(Refusal) -> Bool {
        var wrong = right
        if let limit = try right.slice?.evaluate(context)?.asInteger, limit < 0 { wrong.slice = .literal(.init(.int64(max(limit, .min + 1) - 1))) }
        return try wrong.apply(to: &target, site, context)
    }
}

private struct ExactPull: Faulty {
    var right: Pull

    func apply(to target: inout Value?, _ site: Site, _ context: Context) throws(Refusal) -> Bool {
        guard case .equal(let expression) = right.condition, let wanted = try expression.evaluate(context), let array = target?.asArray else {
            return try right.apply(to: &target, site, context)
        }
        let kept = array.filter { !$0.matches(wanted) }
        target = .array(kept)
        return kept.count != array.count
    }
}

private struct TypedMaximum: Faulty {
    var right: Bound

    func apply(to target: inout Value?, _ site: Site, _ context: Context) throws(Refusal) -> Bool {
        guard let found = target.flatMap(width), let value = try right.value.evaluate(context), let given = width(value), found != given else {
            return try right.apply(to: &target, site, context)
        }
        if given > found { target = value }
        return given > found
    }

    private func width(_ value: Value) -> Int? {
        switch value {
        case .int32: 0
        case .int64: 1
        case .double: 2
        default: nil
        }
    }
}
