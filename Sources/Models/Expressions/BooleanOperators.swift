import Events
import Values

/// Everything counts as true but null, what is missing, false and zeros. Arguments after the one that decides are not asked.
enum BooleanOperators {
    private static let conditions = [ExpressionOperator.Parameter("condition", .condition)]

    static let all: [ExpressionOperator] = [
        .init(
            "$and", conditions, .list(least: 0, repeats: true), "Whether all are true.", "{ $and: [ $data.active, { $gt: [ $data.stock, 0 ] } ] }",
            body: .expressions { (application, context) throws(Refusal) in
                for argument in application.arguments where try !(argument?.evaluate(context)).isTrue { return .bool(false) }
                return .bool(true)
            }),
        .init("$not", conditions, .list(least: 1), "Whether it is not true.", "{ $not: $data.active }") { (x: Operands) throws(Refusal) in .bool(!x[0].isTrue)
        },
        .init(
            "$or", conditions, .list(least: 0, repeats: true), "Whether one is true.", "{ $or: [ $data.new, $data.changed ] }",
            body: .expressions { (application, context) throws(Refusal) in
                for argument in application.arguments where try (argument?.evaluate(context)).isTrue { return .bool(true) }
                return .bool(false)
            }),
    ]
}
