import Events
import Values

/// Comparison by MongoDB's order of all values, in which what is missing comes before null.
enum ComparisonOperators {
    static let all: [ExpressionOperator] = [
        .init("$cmp", two, .list(least: 2), "-1, 0 or 1, as the first sorts before, with or after the second.", "{ $cmp: [ $data.a, $data.b ] }") {
            (x: Operands) throws(Refusal) in .int32(Int32(Value?.order(x[0], x[1])))
        },
        row("$eq", "Whether both are equal.") { $0 == 0 }, row("$gt", "Whether the first sorts after the second.") { $0 > 0 },
        row("$gte", "Whether the first sorts after or with the second.") { $0 >= 0 }, row("$lt", "Whether the first sorts before the second.") { $0 < 0 },
        row("$lte", "Whether the first sorts before or with the second.") { $0 <= 0 }, row("$ne", "Whether both differ.") { $0 != 0 },
    ]

    private static let two = [ExpressionOperator.Parameter("first", .any), ExpressionOperator.Parameter("second", .any)]

    private static func row(_ name: String, _ meaning: String, _ holds: @escaping @Sendable (Int) -> Bool) -> ExpressionOperator {
        .init(name, two, .list(least: 2), meaning, "{ \(name): [ $data.amount, $$doc.amount ] }") { (x: Operands) throws(Refusal) in
            .bool(holds(Value?.order(x[0], x[1])))
        }
    }
}
