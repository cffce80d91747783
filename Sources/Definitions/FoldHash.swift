import Models
import Values

/// The identity of a definition's fold part: what a change of means that the documents have to be rebuilt.
///
/// It is stored with every build, so what it is made of must never change for a definition that means the same. It is
/// the digest of the compiled fold as BSON, which keeps the types of numbers and the order of operators, paths and
/// members, all of which show in documents; layout, comments, quoting and the order of event types are gone by then.
enum FoldHash {
    static func hash(stream: String, _ fold: EffectFold) -> String {
        let types = fold.effects.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
        let document: Document = [
            "stream": .string(stream),
            "fold": .array(
                types.map { type in ["type": .string(type.key), "effects": .array(type.value.map { .array($0.operators.map(\.canonical)) })] }),
        ]
        return Digest(of: BSON.encode(document)).hex
    }
}

extension Operator {
    fileprivate var canonical: Value {
        switch self {
        case .set(let path, let value): Self.canonical("$set", path, value.canonical)
        case .unset(let path): Self.canonical("$unset", path, .null)
        case .increment(let path, let value): Self.canonical("$inc", path, value.canonical)
        case .minimum(let path, let value): Self.canonical("$min", path, value.canonical)
        case .maximum(let path, let value): Self.canonical("$max", path, value.canonical)
        case .push(let path, let elements, nil): Self.canonical("$push", path, elements.canonical)
        case .push(let path, let elements, let slice?): Self.canonical("$push", path, ["of": elements.canonical, "slice": slice.canonical])
        case .addToSet(let path, let elements): Self.canonical("$addToSet", path, elements.canonical)
        case .pull(let path, let value): Self.canonical("$pull", path, value.canonical)
        case .delete: ["operator": "$delete"]
        }
    }

    private static func canonical(_ name: String, _ path: FieldPath, _ operand: Value) -> Value {
        ["operator": .string(name), "path": .array(path.names.map(Value.string)), "operand": operand]
    }
}

extension Operator.Elements {
    fileprivate var canonical: Value {
        switch self {
        case .one(let expression): ["one": expression.canonical]
        case .each(let expression): ["each": expression.canonical]
        }
    }
}

extension Expression {
    /// Each kind under its own name, so that no literal can look like an expression.
    fileprivate var canonical: Value {
        switch self {
        case .literal(let literal): ["literal": literal.value]
        case .event(let name, let path): ["event": .array(([name] + path).map(Value.string))]
        case .document(let path): ["document": .array(path.map(Value.string))]
        case .object(let members): ["object": .array(members.map { ["name": .string($0.name), "value": $0.value.canonical] })]
        case .array(let elements): ["array": .array(elements.map(\.canonical))]
        }
    }
}
