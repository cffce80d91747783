import Events
import Models
import Values

/// What can be told of a model's documents from its definition, as JSON Schema (2020-12): which fields there are, and the types
/// of those that operators leave no choice about.
enum DocumentSchema {
    /// What an operator makes of a field.
    private enum Kind: Hashable {
        case number, list, bool, string, time, object
        /// Whatever the event brings.
        case any
    }

    private final class Node {
        var kinds: Set<Kind> = []
        var names: [String] = []
        var children: [String: Node] = [:]

        func child(_ name: String) -> Node {
            if let child = children[name] { return child }
            let child = Node()
            names.append(name)
            children[name] = child
            return child
        }
    }

    /// The names of JSON's types are how values are printed: decimals and integers beyond 2^53 are strings.
    static func properties(of model: Model) -> Document {
        let root = Node()
        let fold = model.fold
        for field in fold.defaults.fields { root.child(field.name).kinds.insert(kind(of: field.value)) }
        let effects = fold.effects.sorted { $0.key.text < $1.key.text }.flatMap(\.value) + (fold.others ?? []) + [fold.derivation].compactMap(\.self)
        for op in effects.flatMap(\.operators) where !op.isDelete {
            for source in op.sources { add(source, .any, to: root) }
            add(op.path, kind(of: op), to: root)
        }
        return properties(of: root)
    }

    private static func add(_ path: FieldPath, _ kind: Kind?, to root: Node) {
        guard let kind else { return }
        var node = root
        for (place, name) in path.names.enumerated() {
            // Behind a name that events compute, or an element of a list, nothing has a name of its own.
            guard path.computed[place] == nil else { return }
            guard FieldPath.placeholder(name) == nil, !name.utf8.allSatisfy({ 48...57 ~= $0 }) else {
                node.kinds.insert(.any)
                return
            }
            node = node.child(name)
        }
        node.kinds.insert(kind)
    }

    /// nil for what makes no field.
    private static func kind(of op: Operator) -> Kind? {
        switch op.name {
        case "$unset", "$pull", "$pullAll", "$pop": nil
        case "$inc", "$mul", "$bit": .number
        case "$push", "$addToSet", "$upsert": .list
        case "$contribute": .object
        default: if case .expression(let expression) = op.operand { kind(of: expression) } else { .any }
        }
    }

    private static func kind(of expression: Expression) -> Kind {
        switch expression {
        case .literal(let literal): kind(of: literal.value)
        case .object: .object
        case .array: .list
        default: .any
        }
    }

    private static func kind(of value: Value) -> Kind {
        switch value {
        case .int32, .int64, .double, .decimal: .number
        case .array: .list
        case .bool: .bool
        case .string: .string
        case .date: .time
        default: .any
        }
    }

    private static func properties(of node: Node) -> Document {
        Document(node.names.sorted().compactMap { name in node.children[name].map { Document.Field(name, .document(schema(of: $0))) } })
    }

    private static func schema(of node: Node) -> Document {
        if node.kinds.isEmpty, !node.children.isEmpty { return ["type": "object", "properties": .document(properties(of: node))] }
        guard node.kinds.count == 1, node.children.isEmpty, let kind = node.kinds.first else { return [:] }
        switch kind {
        case .number: return ["type": ["number", "string"], "description": "a string where it is a decimal or beyond 2^53"]
        case .list: return ["type": "array"]
        case .bool: return ["type": "boolean"]
        case .string: return ["type": "string"]
        case .time: return ["type": "string", "format": "date-time"]
        case .object: return ["type": "object"]
        case .any: return [:]
        }
    }
}

extension ReadModel {
    /// What readers see of the model's documents, as JSON Schema.
    ///
    /// - Parameter id: where it says of itself that it stands.
    public func schema(id: String) -> Document {
        var properties: Document = ["_id": ["type": "string"]]
        properties.fields += Self.seen(self.properties, by: mask).fields
        return [
            "$schema": "https://json-schema.org/draft/2020-12/schema", "$id": .string(id), "title": .string(name), "type": "object",
            "properties": .document(properties), "required": ["_id"],
        ]
    }

    private static func seen(_ properties: Document, by mask: FieldMask) -> Document {
        Document(
            properties.fields.compactMap { field in
                let inner = mask[field.name]
                guard inner != .none, field.name != "_id" else { return nil }
                guard inner != .all, var schema = field.value.asDocument, let nested = schema["properties"]?.asDocument else { return field }
                schema["properties"] = .document(seen(nested, by: inner))
                return Document.Field(field.name, .document(schema))
            })
    }
}
