import Events
import Models
import Values

/// Reads what stands under one path of an operator.
struct OperandReader {
    let expressions: ExpressionReader
    /// The operator.
    let name: String

    private var findings: Findings { expressions.findings }

    func read(_ node: YAMLNode, _ path: FieldPath) -> Operator? {
        switch name {
        case "$set": return value(node, path).map { .set(path, $0) }
        case "$min": return value(node, path).map { .minimum(path, $0) }
        case "$max": return value(node, path).map { .maximum(path, $0) }
        case "$setOnInsert": return value(node, path).map { .setOnInsert(path, $0) }
        case "$inc": return amount(node, path).map { .increment(path, $0) }
        case "$mul": return amount(node, path).map { .multiply(path, $0) }
        case "$bit": return bit(node, path)
        case "$unset": return unset(node) ? .unset(path) : nil
        case "$rename": return rename(node, path)
        case "$push", "$addToSet": return ElementReader(findings: findings, name: name, value: { value($0, path) }).read(node, path)
        case "$pop": return end(node, path).map { .pop(path, $0) }
        case "$pull": return condition(node, path).map { .pull(path, where: $0) }
        case "$upsert": return UpsertReader(expressions: expressions).read(node, path)
        case "$contribute": return ContributionReader(expressions: expressions).read(node, path)
        case "$pullAll": return list(node, path).map { .pullAll(path, $0) }
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
        guard name == "$set" || !expression.mayRemove else {
            findings.report("\(name) cannot take $$REMOVE, which leaves nothing to put at \(quoted(path.description))", at: node.place)
            return nil
        }
        return expression
    }

    private func amount(_ node: YAMLNode, _ path: FieldPath) -> Expression? {
        guard let expression = value(node, path) else { return nil }
        switch expression {
        case _ where expression.isOpen: return expression
        case .literal(let literal) where literal.value.isNumber: return expression
        default:
            findings.report("\(name) must be a number or a path to one, found \(node.found)", at: node.place)
            return nil
        }
    }

    /// MongoDB ignores the value; what people write there is the empty string, true or 1.
    private func unset(_ node: YAMLNode) -> Bool {
        if let value = node.scalar?.value, [.string(""), .bool(true), .int32(1)].contains(value) { return true }
        if !node.isInvalid { findings.report("$unset takes \"\", true or 1 for each path, found \(node.found)", at: node.place) }
        return false
    }

    private func bit(_ node: YAMLNode, _ path: FieldPath) -> Operator? {
        let known = BitOperation.allCases.map(\.rawValue)
        guard let members = node.members, !members.isEmpty else {
            if !node.isInvalid { findings.report("$bit must be a map with \(listed(known)), found \(node.found)", at: node.place) }
            return nil
        }
        let steps = members.map { member -> (BitOperation, Expression)? in
            guard let operation = BitOperation(rawValue: member.name) else {
                Vocabulary(kind: "operation of $bit", supported: known).report(member.name, at: member.place, findings)
                return nil
            }
            guard let operand = value(member.value, path) else { return nil }
            switch operand {
            case _ where operand.isOpen: return (operation, operand)
            case .literal(let literal) where literal.value.isInteger: return (operation, operand)
            default:
                findings.report("\(member.name) must be an integer or a path to one, found \(member.value.found)", at: member.value.place)
                return nil
            }
        }
        let good = steps.compactMap(\.self)
        return good.count == steps.count ? .bit(path, good) : nil
    }

    /// The path is the source, and the target stands under it.
    private func rename(_ node: YAMLNode, _ source: FieldPath) -> Operator? {
        guard case .string(let text)? = node.scalar?.value else {
            if !node.isInvalid { findings.report("$rename must be the new path, found \(node.found)", at: node.place) }
            return nil
        }
        guard let target = PathReader(expressions: expressions, allowsPlaceholders: false, allowsComputed: false).read(text, at: node.place) else { return nil }
        return .rename(source, to: target)
    }

    private func end(_ node: YAMLNode, _ path: FieldPath) -> Expression? {
        guard let expression = value(node, path) else { return nil }
        switch expression {
        case _ where expression.isOpen: return expression
        case .literal(let literal) where [1, -1].contains(literal.value.asInteger): return expression
        default:
            findings.report("$pop takes 1 for the last element or -1 for the first, found \(node.found)", at: node.place)
            return nil
        }
    }

    private func list(_ node: YAMLNode, _ path: FieldPath) -> Expression? {
        guard let expression = value(node, path) else { return nil }
        switch expression {
        case .array: return expression
        case _ where expression.isOpen: return expression
        case .literal(let literal) where literal.value.asArray != nil: return expression
        default:
            findings.report("\(name) must be a list or a path to one, found \(node.found)", at: node.place)
            return nil
        }
    }

    /// What `$pull` takes out: what equals a value, or has the members of a map, or passes tests. Dots in names lead
    /// into an element.
    private func condition(_ node: YAMLNode, _ path: FieldPath) -> Operator.Condition? {
        guard let members = node.members, members.map(\.name) != ["$literal"] else { return value(node, path).map { .equal($0) } }
        let reader = PredicateReader(findings: findings) { value($0, path) }
        if PredicateReader.isTest(node) { return reader.tests(members, of: []).map { .element($0) } }
        if PredicateReader.hasTests(members) { return reader.members(members).map { .members($0) } }
        let wanted = members.compactMap { member in
            reader.path(member) == nil ? nil : value(member.value, path).map { Expression.Member(member.name, $0) }
        }
        guard wanted.count == members.count else { return nil }
        let fields = wanted.compactMap { member in member.value.literal.map { Document.Field(member.name, $0) } }
        return .equal(fields.count == wanted.count ? .literal(.init(.document(Document(fields)))) : .object(wanted))
    }
}

extension Value {
    fileprivate var isNumber: Bool {
        switch self {
        case .int32, .int64, .double, .decimal: true
        default: false
        }
    }

    fileprivate var isInteger: Bool {
        switch self {
        case .int32, .int64: true
        default: false
        }
    }
}
