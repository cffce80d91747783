import Models
import Values

/// Reads what `$push` and `$addToSet` add: one element, or with `$each` those of an array, and the modifiers beside it.
struct ElementReader {
    let findings: Findings
    /// The operator.
    let name: String
    /// Reads a value that is put at the path.
    let value: (YAMLNode) -> Expression?

    private var vocabulary: Vocabulary { name == "$push" ? Vocabulary.pushModifiers : Vocabulary.setModifiers }

    func read(_ node: YAMLNode, _ path: FieldPath) -> Operator? {
        // What makes a map one of modifiers, and not an element: for `$addToSet` too, where `$slice` is then a mistake.
        guard let members = node.members, let modifier = members.first(where: { Vocabulary.pushModifiers.supported.contains($0.name) }) else {
            return value(node).map { op(path, .one($0)) }
        }
        let strangers = members.filter { !vocabulary.supported.contains($0.name) }
        for member in strangers { vocabulary.report(member.name, at: member.place, findings, suggestion: "modifiers stand beside nothing else") }
        func member(_ name: String) -> YAMLNode? { members.first { $0.name == name }?.value }
        // All of them, so that every mistake is reported.
        let slice = member("$slice").map { integer($0, "$slice") }
        let position = member("$position").map { integer($0, "$position") }
        let order = member("$sort").map { OrderReader(findings: findings, name: "$sort").read($0) }
        guard let each = member("$each") else {
            // A stranger may be the $each that is missing.
            if strangers.isEmpty {
                let example = "such as { $each: [ $data.tag ], \(modifier.name): … }"
                findings.report("\(modifier.name) needs $each beside it", at: node.place, suggestion: example)
            }
            return nil
        }
        let elements = elements(each)
        guard let elements, strangers.isEmpty, slice.map({ $0 != nil }) ?? true, position.map({ $0 != nil }) ?? true, order.map({ $0 != nil }) ?? true else {
            return nil
        }
        return op(path, .each(elements), slice: slice ?? nil, order: order ?? nil, position: position ?? nil)
    }

    private func op(
        _ path: FieldPath, _ elements: Operator.Elements, slice: Expression? = nil, order: ElementOrder? = nil, position: Expression? = nil
    ) -> Operator {
        name == "$push" ? .push(path, elements, slice: slice, sort: order, position: position) : .addToSet(path, elements)
    }

    private func elements(_ node: YAMLNode) -> Expression? {
        guard let expression = value(node) else { return nil }
        switch expression {
        case .array: return expression
        case _ where expression.isOpen: return expression
        case .literal(let literal) where literal.value.asArray != nil: return expression
        default:
            findings.report("$each must be a list or a path to one, found \(node.found)", at: node.place)
            return nil
        }
    }

    private func integer(_ node: YAMLNode, _ modifier: String) -> Expression? {
        guard let expression = value(node) else { return nil }
        if expression.isOpen { return expression }
        switch expression.literal {
        case .int32?, .int64?: return expression
        default: break
        }
        findings.report("\(modifier) must be an integer or a path to one, found \(node.found)", at: node.place)
        return nil
    }
}
