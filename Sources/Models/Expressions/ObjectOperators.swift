import Events
import Values

/// Operators on objects. Names are taken as they are: dots and dollars mean nothing in them.
enum ObjectOperators {
    private typealias Parameter = ExpressionOperator.Parameter

    static let all: [ExpressionOperator] = [
        .init(
            "$getField", [Parameter("field", .constantName), Parameter("input", .object)], .named, "A member of an object.",
            "{ $getField: { field: \"a.b\", input: $data.object } }"
        ) { (x: Operands) throws(Refusal) in
            let field = try x.string(0)
            guard case .document(let document)? = x[1] else { return x[1].isNullish && x[1] != nil ? .null : nil }
            return document[field]
        },
        .init(
            "$mergeObjects", [Parameter("object", .object)], .list(least: 0, repeats: true), "One object with the members of all; later ones win.",
            "{ $mergeObjects: [ $$doc.settings, $data.settings ] }"
        ) { (x: Operands) throws(Refusal) in
            var merged = Document()
            // A single argument that is an array stands for its elements.
            var values = x.values
            if values.count == 1, case .array(let elements)? = x[0] { values = elements }
            for value in values where !value.isNullish {
                guard case .document(let document)? = value else { throw x.refusal(value, not: "an object") }
                for field in document.fields { merged[field.name] = field.value }
            }
            return .document(merged)
        },
        .init(
            "$setField", [Parameter("field", .constantName), Parameter("input", .object), Parameter("value", .any)], .named,
            "The object with one member set, or removed where the value is missing.",
            "{ $setField: { field: \"a.b\", input: $data.object, value: 1 } }"
        ) { (x: Operands) throws(Refusal) in try set(x, x[2]) },
        .init(
            "$unsetField", [Parameter("field", .constantName), Parameter("input", .object)], .named, "The object without one member.",
            "{ $unsetField: { field: \"a.b\", input: $data.object } }"
        ) { (x: Operands) throws(Refusal) in try set(x, nil) },
    ]

    private static func set(_ x: Operands, _ value: Value?) throws(Refusal) -> Value? {
        let field = try x.string(0)
        if x[1].isNullish { return .null }
        var document = try x.document(1)
        document[field] = value
        return .document(document)
    }
}
