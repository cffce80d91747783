import Events
import Models
import Values

/// The identity of a definition's fold part: what a change of means that the documents have to be rebuilt.
///
/// It is stored with every build, so what it is made of must never change for a definition that means the same. It is
/// the digest of the compiled fold as BSON, which keeps the types of numbers and the order of operators, paths and
/// members, all of which show in documents; layout, comments, quoting and the order of event types are gone by then.
enum FoldHash {
    /// - Parameter errorPolicy: another than the fold has.
    static func hash(stream: String, _ fold: EffectFold, onError errorPolicy: ErrorPolicy? = nil) -> String {
        let errorPolicy = errorPolicy ?? fold.errorPolicy
        let types = fold.effects.sorted { $0.key < $1.key }
        var document: Document = [
            "stream": .string(stream),
            "fold": .array(
                types.map { type in ["type": .string(type.key.text), "effects": .array(type.value.map(\.canonical))] }),
        ]
        if let others = fold.others { document.append("others", .array(others.map(\.canonical))) }
        if !fold.defaults.isEmpty { document.append("defaults", .document(fold.defaults)) }
        if let derivation = fold.derivation { document.append("derive", derivation.canonical) }
        if errorPolicy != .skip { document.append("onError", .string(errorPolicy.rawValue)) }
        if let roots = fold.roots { document.append("root", .array(roots.sorted().map { .string($0.text) })) }
        let versions = fold.versions.sorted { $0.key < $1.key }
        if !versions.isEmpty { document.append("versions", .array(versions.map { ["type": .string($0.key.text), "read": $0.value.canonical] })) }
        if let lifetime = fold.lifetime { document.append("ttl", .string(Units.format(lifetime))) }
        if fold.parksUnknown { document.append("unknown", "park") }
        return Digest(of: BSON.encode(document)).hex
    }
}

extension Versions {
    fileprivate var canonical: Value {
        let steps = upcasts.sorted { $0.key < $1.key }.map { Value.array([.int64(Int64($0.key)), $0.value.canonical]) }
        return ["current": .int64(Int64(current)), "upcasts": .array(steps)]
    }
}

extension Effect {
    fileprivate var canonical: Value {
        let operators = Value.array(operators.map(\.canonical))
        // Their order has no meaning.
        let filters = filters.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
        var parts: Document = ["operators": operators]
        if !variables.isEmpty { parts.append("let", .array(variables.map { ["name": .string($0.name), "value": $0.value.canonical] })) }
        if !filters.isEmpty { parts.append("filters", .array(filters.map(\.canonical))) }
        if let condition { parts.append("when", condition.canonical) }
        if !creates { parts.append("create", false) }
        return parts.fields.count == 1 ? operators : .document(parts)
    }
}

extension ArrayFilter {
    fileprivate var canonical: Value { ["name": .string(name), "where": predicate.operand.canonical] }
}

extension Operator {
    fileprivate var canonical: Value {
        isDelete
            ? ["operator": .string(name)]
            : ["operator": .string(name), "path": .array(path.names.map(Value.string)), "operand": operand.canonical]
    }
}

extension Operand {
    fileprivate var canonical: Value {
        switch self {
        case .none: .null
        case .expression(let expression): expression.canonical
        case .named(let members): .document(Document(members.map { Document.Field($0.name, $0.operand.canonical) }))
        case .list(let operands): .array(operands.map(\.canonical))
        }
    }
}

extension Expression {
    /// Each kind under its own name, so that no literal can look like an expression.
    fileprivate var canonical: Value {
        switch self {
        case .literal(let literal): ["literal": literal.value]
        case .event(let name, let path): ["event": .array(([name.rawValue] + path).map(Value.string))]
        case .document(let path): ["document": .array(path.map(Value.string))]
        case .variable(let name, let path): ["variable": .array(([name] + path).map(Value.string))]
        case .apply(let application):
            [
                "apply": .string(application.op.name), "arguments": .array(application.arguments.map { $0?.canonical ?? .null }),
                "names": .array(application.names.map(Value.string)),
            ]
        case .object(let members): ["object": .array(members.map { ["name": .string($0.name), "value": $0.value.canonical] })]
        case .array(let elements): ["array": .array(elements.map(\.canonical))]
        }
    }
}
