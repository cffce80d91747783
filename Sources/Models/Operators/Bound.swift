import Events
import Values

/// `$min` and `$max`, by MongoDB's order of all values.
struct Bound: Action {
    enum Side { case least, most }

    var side: Side
    var value: Expression

    var name: String { side == .least ? "$min" : "$max" }
    var operand: Operand { .expression(value) }
    var purpose: PathPurpose { .create }

    func apply(to target: inout Value?, _ site: Site, _ context: Context) throws(Refusal) -> Bool {
        let value = try evaluate(value, site, context)
        if let found = target {
            let order = Value.order(value, found)
            guard side == .least ? order < 0 : order > 0 else { return false }
        }
        target = value
        return true
    }
}

extension Operator {
    public static func minimum(_ path: FieldPath, _ value: Expression) -> Operator { Operator(path, Bound(side: .least, value: value)) }

    public static func maximum(_ path: FieldPath, _ value: Expression) -> Operator { Operator(path, Bound(side: .most, value: value)) }
}
