import Events
import Values

/// `$bit`.
struct ComputeBits: Action {
    var steps: [Step]

    struct Step: Sendable {
        var operation: BitOperation
        var operand: Expression
    }

    var name: String { "$bit" }
    var operand: Operand { .named(steps.map { Operand.Named($0.operation.rawValue, .expression($0.operand)) }) }
    var purpose: PathPurpose { .create }

    func apply(to target: inout Value?, _ site: Site, _ context: Context) throws(Refusal) -> Bool {
        // What is missing is an int32 of 0.
        var result = target ?? 0
        guard result.isInteger else { throw refusal(result, not: "an integer", site) }
        for step in steps {
            let operand = try evaluate(step.operand, site, context)
            guard operand.isInteger else {
                throw Refusal(.badOperand, "$bit \(site.path): the operand of \(step.operation.rawValue) is of type \(operand.typeName), not an integer")
            }
            result = step.operation.apply(result, operand)
        }
        defer { target = result }
        return target != result
    }
}

/// What `$bit` can do with two integers.
public enum BitOperation: String, Hashable, Sendable, CaseIterable {
    case and, or, xor

    /// Of two int32 an int32, else an int64.
    fileprivate func apply(_ left: Value, _ right: Value) -> Value {
        if case .int32(let a) = left, case .int32(let b) = right { return .int32(apply(a, b)) }
        return .int64(apply(left.asInteger ?? 0, right.asInteger ?? 0))
    }

    private func apply<Integer: FixedWidthInteger>(_ left: Integer, _ right: Integer) -> Integer {
        switch self {
        case .and: left & right
        case .or: left | right
        case .xor: left ^ right
        }
    }
}

extension Value {
    fileprivate var isInteger: Bool {
        switch self {
        case .int32, .int64: true
        default: false
        }
    }
}

extension Operator {
    /// One operation after the other.
    public static func bit(_ path: FieldPath, _ steps: [(BitOperation, Expression)]) -> Operator {
        Operator(path, ComputeBits(steps: steps.map(ComputeBits.Step.init)))
    }
}
