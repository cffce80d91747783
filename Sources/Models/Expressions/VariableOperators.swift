import Events
import Values

/// Names for values.
enum VariableOperators {
    private typealias Parameter = ExpressionOperator.Parameter

    static let all: [ExpressionOperator] = [
        .init(
            "$let", [Parameter("vars", .any), Parameter("in", .any)], .variables, "The value of `in`, where `$$name` is what `vars` says.",
            "{ $let: { vars: { net: { $multiply: [ $data.price, $data.count ] } }, in: { $add: [ $$net, $data.tax ] } } }",
            body: .expressions { (application, context) throws(Refusal) in
                var inner = context
                for (name, argument) in zip(application.names, application.arguments) {
                    inner.bind(name, try argument?.evaluate(context))
                }
                return try application.arguments.last??.evaluate(inner)
            })
    ]
}
