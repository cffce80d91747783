import Events
import Values

/// Operators that evaluate an expression for each element of an array.
enum IterationOperators {
    private typealias Parameter = ExpressionOperator.Parameter

    static let all: [ExpressionOperator] = [
        .init(
            "$filter",
            [
                Parameter("input", .array), Parameter("as", .variable, isOptional: true), Parameter("cond", .condition, scope: .element),
                Parameter("limit", .integer, isOptional: true),
            ], .named, "The elements for which the condition is true, at most `limit` of them.",
            "{ $filter: { input: $data.items, as: item, cond: { $gt: [ $$item.count, 0 ] } } }", body: .expressions(filter)),
        .init(
            "$map", [Parameter("input", .array), Parameter("as", .variable, isOptional: true), Parameter("in", .any, scope: .element)], .named,
            "What an expression makes of each element.", "{ $map: { input: $data.items, as: item, in: $$item.price } }", body: .expressions(map)),
        .init(
            "$reduce", [Parameter("input", .array), Parameter("initialValue", .any), Parameter("in", .any, scope: .reduction)], .named,
            "What an expression makes of `$$value`, its result so far, and `$$this`, the next element.",
            "{ $reduce: { input: $data.items, initialValue: 0, in: { $add: [ $$value, $$this.count ] } } }", body: .expressions(reduce)),
    ]

    /// The elements of the first argument, or nil when it is null or missing.
    private static func input(_ application: Application, _ context: Context) throws(Refusal) -> [Value]? {
        let value = try application.arguments[0]?.evaluate(context)
        if value.isNullish { return nil }
        guard case .array(let elements)? = value else {
            throw Refusal(.badOperand, "\(application.op.name): a value of type \(value.typeName) is not an array")
        }
        return elements
    }

    private static func filter(_ application: Application, _ context: Context) throws(Refusal) -> Value? {
        guard let elements = try input(application, context) else { return .null }
        if elements.isEmpty { return .array([]) }
        var limit = Int64.max
        if let argument = application.arguments[3] {
            let value = try argument.evaluate(context)
            if !value.isNullish {
                guard let number = value?.asInteger, let small = Int32(exactly: number), small > 0 else {
                    throw Refusal(.badOperand, "$filter: the limit is not a positive whole number of 32 bits")
                }
                limit = number
            }
        }
        var found: [Value] = []
        for element in elements where found.count < limit {
            let inner = context.binding(application.names.first ?? "this", element)
            if try (application.arguments[2]?.evaluate(inner)).isTrue { found.append(element) }
        }
        return .array(found)
    }

    private static func map(_ application: Application, _ context: Context) throws(Refusal) -> Value? {
        guard let elements = try input(application, context) else { return .null }
        var results: [Value] = []
        results.reserveCapacity(elements.count)
        for element in elements {
            results.append(try application.arguments[2]?.evaluate(context.binding(application.names.first ?? "this", element)) ?? .null)
        }
        return .array(results)
    }

    private static func reduce(_ application: Application, _ context: Context) throws(Refusal) -> Value? {
        guard let elements = try input(application, context) else { return .null }
        var value = try application.arguments[1]?.evaluate(context)
        for element in elements {
            value = try application.arguments[2]?.evaluate(context.binding("this", element).binding("value", value))
            // Each step may put a level around the last.
            guard value?.depth ?? 0 <= BSON.maximumDepth else {
                throw Refusal(.documentTooDeep, "$reduce: the value is nested deeper than \(BSON.maximumDepth) levels")
            }
        }
        return value
    }
}
