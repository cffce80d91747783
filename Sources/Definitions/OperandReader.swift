import Events
import Models
import Values

/// Reads what stands under one path of an operator.
struct OperandReader {
    let findings: Findings
    /// The operator.
    let name: String

    private var expressions: ExpressionReader { ExpressionReader(findings: findings) }

    func read(_ node: YAMLNode, _ path: FieldPath) -> Operator? {
        switch name {
        case "$set": return value(node, path).map { .set(path, $0) }
        case "$min": return value(node, path).map { .minimum(path, $0) }
        case "$max": return value(node, path).map { .maximum(path, $0) }
        case "$inc": return amount(node, path).map { .increment(path, $0) }
        case "$unset": return unset(node) ? .unset(path) : nil
        case "$pull": return condition(node, path).map { .pull(path, $0) }
        case "$push": return push(node, path)
        case "$addToSet": return elements(node, path, Vocabulary.setModifiers).map { .addToSet(path, $0) }
        default: return nil
        }
    }

    /// An expression whose literals, put at the path, stay within the levels that a document may have.
    private func value(_ node: YAMLNode, _ path: FieldPath) -> Expression? {
        guard let expression = expressions.read(node) else { return nil }
        guard path.names.count + expression.depth <= BSON.maximumDepth else {
            findings.report("\(quoted(path.description)) would be nested deeper than the \(BSON.maximumDepth) levels of a document", at: node.place)
            return nil
        }
        return expression
    }

    private func amount(_ node: YAMLNode, _ path: FieldPath) -> Expression? {
        guard let expression = value(node, path) else { return nil }
        switch expression {
        case .event, .document: return expression
        case .literal(let literal) where literal.value.isNumber: return expression
        default:
            findings.report("$inc must be a number or a path to one, found \(node.found)", at: node.place)
            return nil
        }
    }

    /// MongoDB ignores the value; what people write there is the empty string, true or 1.
    private func unset(_ node: YAMLNode) -> Bool {
        if let value = node.scalar?.value, [.string(""), .bool(true), .int32(1)].contains(value) { return true }
        if !node.isInvalid { findings.report("$unset takes \"\", true or 1 for each path, found \(node.found)", at: node.place) }
        return false
    }

    private func push(_ node: YAMLNode, _ path: FieldPath) -> Operator? {
        let slice = node.members?.first { $0.name == "$slice" }
        let count = slice.flatMap { self.slice($0.value) }
        guard let elements = elements(node, path, Vocabulary.pushModifiers), slice == nil || count != nil else { return nil }
        return .push(path, elements, slice: count)
    }

    /// One element, or with `$each` those of an array.
    private func elements(_ node: YAMLNode, _ path: FieldPath, _ modifiers: Vocabulary) -> Operator.Elements? {
        guard let members = node.members, members.contains(where: { Self.modifiers.contains($0.name) }) else {
            return value(node, path).map { .one($0) }
        }
        let strangers = members.filter { !modifiers.supported.contains($0.name) }
        for member in strangers { modifiers.report(member.name, at: member.place, findings, suggestion: "modifiers stand beside nothing else") }
        guard let each = members.first(where: { $0.name == "$each" }) else {
            // A stranger may be the $each that is missing.
            if strangers.isEmpty {
                findings.report("$slice needs $each beside it", at: node.place, suggestion: "such as { $each: [ $data.tag ], $slice: -10 }")
            }
            return nil
        }
        guard let expression = value(each.value, path) else { return nil }
        switch expression {
        case .event, .document, .array: break
        case .literal(let literal) where literal.value.asArray != nil: break
        default:
            findings.report("$each must be a list or a path to one, found \(each.value.found)", at: each.value.place)
            return nil
        }
        return strangers.isEmpty ? .each(expression) : nil
    }

    /// What makes a map one of modifiers, and not an element: for `$addToSet` too, where `$slice` is then a mistake.
    private static let modifiers = Vocabulary.pushModifiers.supported + Vocabulary.pushModifiers.later

    private func slice(_ node: YAMLNode) -> Expression? {
        guard let expression = expressions.read(node) else { return nil }
        switch expression {
        case .event, .document: return expression
        case .literal(let literal): if case .int32 = literal.value { return expression }
        case .object, .array: break
        }
        findings.report("$slice must be a 32-bit integer or a path to one, found \(node.found)", at: node.place)
        return nil
    }

    /// What `$pull` takes out: what equals a value, or has the members of a map. Dots in those lead into an element.
    private func condition(_ node: YAMLNode, _ path: FieldPath) -> Expression? {
        guard let members = node.members, members.map(\.name) != ["$literal"] else { return value(node, path) }
        var conditions: [Expression.Member] = []
        for member in members {
            if member.name.hasPrefix("$") {
                report(predicate: member)
            } else if FieldPath(member.name) == nil || member.name.utf8.contains(0) {
                findings.report("the path \(quoted(member.name)) is empty, has an empty part or holds NUL", at: member.place)
            } else if let nested = member.value.members?.first(where: { Vocabulary.predicates.later.contains($0.name) }) {
                // { rating: { $lt: 3 } }
                report(predicate: nested)
            } else if let value = value(member.value, path) {
                conditions.append(Expression.Member(member.name, value))
            }
        }
        guard conditions.count == members.count else { return nil }
        let fields = conditions.compactMap { member in member.value.literal.map { Document.Field(member.name, $0) } }
        return fields.count == conditions.count ? .literal(.init(.document(Document(fields)))) : .object(conditions)
    }

    private func report(predicate member: YAMLNode.Member) {
        Vocabulary.predicates.report(member.name, at: member.place, findings, suggestion: "$pull takes a value, or a map of names and values")
    }
}

extension Value {
    fileprivate var isNumber: Bool {
        switch self {
        case .int32, .int64, .double: true
        default: false
        }
    }
}
