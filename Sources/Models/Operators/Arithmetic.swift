import Events
import Values

/// `$inc`.
struct Increment: Action {
    let amount: Expression

    var name: String { "$inc" }
    var operand: Operand { .expression(amount) }
    var purpose: PathPurpose { .create }

    func apply(to target: inout Value?, _ site: Site, _ context: Context) throws(Refusal) -> Bool {
        let amount = try evaluateNumber(amount, site, context)
        guard let value = target else {
            target = amount
            return true
        }
        return try store(in: &target, site) { () throws(ArithmeticError) in try Value.sum(value, amount) }
    }
}

/// `$mul`.
struct Multiply: Action {
    let factor: Expression

    var name: String { "$mul" }
    var operand: Operand { .expression(factor) }
    var purpose: PathPurpose { .create }

    func apply(to target: inout Value?, _ site: Site, _ context: Context) throws(Refusal) -> Bool {
        let factor = try evaluateNumber(factor, site, context)
        // What is missing is an int32 of 0, which takes the factor's type and sign.
        let value = target ?? 0
        return try store(in: &target, site) { () throws(ArithmeticError) in try Value.product(value, factor) }
    }
}

extension Action {
    fileprivate func evaluateNumber(_ expression: Expression, _ site: Site, _ context: Context) throws(Refusal) -> Value {
        let value = try evaluate(expression, site, context)
        switch value {
        case .int32, .int64, .double, .decimal: return value
        default: throw Refusal(.badOperand, "\(name) \(site.path): the operand is of type \(value.typeName), not a number")
        }
    }

    fileprivate func store(in target: inout Value?, _ site: Site, _ compute: () throws(ArithmeticError) -> Value) throws(Refusal) -> Bool {
        do throws(ArithmeticError) {
            let result = try compute()
            // As with mongod, a zero keeps its sign, and a decimal its digits, where the number stays the same.
            if case .double(let new) = result, case .double(let old)? = target, new == old { return false }
            if case .decimal(let new) = result, case .decimal(let old)? = target, Decimal128.order(new, old) == 0 { return false }
            let isChanged = target != result
            target = result
            return isChanged
        } catch {
            switch error {
            case .overflow: throw Refusal(.numberOverflow, "\(name) \(site.path): the result leaves the range of int64")
            case .notANumber(let type): throw Refusal(.badOperand, "\(name) \(site.path): the field is of type \(type), not a number")
            }
        }
    }
}

extension Operator {
    public static func increment(_ path: FieldPath, _ amount: Expression) -> Operator { Operator(path, Increment(amount: amount)) }

    public static func multiply(_ path: FieldPath, _ factor: Expression) -> Operator { Operator(path, Multiply(factor: factor)) }
}
