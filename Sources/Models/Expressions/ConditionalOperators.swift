import Events
import Values

/// Only the argument that is chosen is evaluated.
enum ConditionalOperators {
    private typealias Parameter = ExpressionOperator.Parameter

    static let all: [ExpressionOperator] = [
        .init(
            "$cond", [Parameter("if", .condition), Parameter("then", .any), Parameter("else", .any)], .listOrNamed(count: 3),
            "One of two values, by a condition.",
            "{ $cond: [ { $gt: [ $data.stock, 0 ] }, available, sold out ] }",
            body: .expressions { (application, context) throws(Refusal) in
                try application.arguments[try (application.arguments[0]?.evaluate(context)).isTrue ? 1 : 2]?.evaluate(context)
            }),
        .init(
            "$ifNull", [Parameter("value", .any), Parameter("value", .any)], .list(least: 2, repeats: true),
            "The first value that is neither null nor missing, else the last one.", "{ $ifNull: [ $data.name, $$doc.name, unknown ] }",
            body: .expressions { (application, context) throws(Refusal) in
                var value: Value?
                for argument in application.arguments {
                    value = try argument?.evaluate(context)
                    if !value.isNullish { break }
                }
                return value
            }),
        .init(
            "$switch", [Parameter("branches", .any), Parameter("default", .any, isOptional: true)], .branches,
            "The value of the first branch whose case is true, else the default, without which the event is parked.",
            "{ $switch: { branches: [ { case: { $gte: [ $data.score, 90 ] }, then: A } ], default: B } }",
            body: .expressions { (application, context) throws(Refusal) in
                let arguments = application.arguments
                for place in stride(from: 0, to: arguments.count - 1, by: 2) where try (arguments[place]?.evaluate(context)).isTrue {
                    return try arguments[place + 1]?.evaluate(context)
                }
                guard let last = arguments.last, let last else { throw Refusal(.badOperand, "$switch: no case is true, and there is no default") }
                return try last.evaluate(context)
            }),
    ]
}
