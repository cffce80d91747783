import Events
import Models
import Values

/// Reads what an event type does: one effect, or a list of effects.
struct EffectReader {
    let findings: Findings

    /// Far more than anybody writes; each is compared with each.
    static let maximumOperators = 1000

    func read(_ node: YAMLNode, of type: String) -> [Effect]? {
        switch node.content {
        case .invalid: return nil
        case .mapping: return effect(node).map { [$0] }
        case .sequence(let nodes) where !nodes.isEmpty:
            let effects = nodes.map(effect)
            return effects.contains { $0 == nil } ? nil : effects.compactMap(\.self)
        case .sequence:
            findings.report("\(quoted(type)) has an empty list of effects", at: node.place, suggestion: "leave the event type out to ignore it")
        case .scalar:
            findings.report(
                "\(quoted(type)) must be an effect or a list of effects, found \(node.found)", at: node.place,
                suggestion: "such as { $set: { name: $data.name } }"
            )
        }
        return nil
    }

    /// A path that an operator of the effect changes, and where it is written.
    private typealias Touched = (path: FieldPath, name: String, place: Place)

    private func effect(_ node: YAMLNode) -> Effect? {
        guard let members = node.members else {
            if !node.isInvalid { findings.report("an effect must be a map of operators, found \(node.found)", at: node.place) }
            return nil
        }
        let keys = members.filter { Vocabulary.effectKeys.supported.contains($0.name) }
        let filterNode = keys.first { $0.name == "arrayFilters" }?.value
        guard members.count > keys.count else {
            findings.report("the effect is empty", at: node.place, suggestion: "leave the event type out to ignore it")
            return nil
        }
        var operators: [Operator] = []
        var touched: [Touched] = []
        var isComplete = true
        let variables = keys.filter { $0.name == "let" }.map { self.variables($0.value) }
        if variables.contains(where: { $0 == nil }) { isComplete = false }
        let expressions = ExpressionReader(findings: findings, variables: variables.flatMap { $0 ?? [] }.map(\.name))
        let conditions = keys.filter { $0.name == "when" }.map { expressions.read($0.value) }
        let creates = keys.filter { $0.name == "create" }.map { findings.bool($0.value, "create") }
        if conditions.contains(where: { $0 == nil }) || creates.contains(nil) { isComplete = false }
        let alone = members.allSatisfy { ["$delete", "let", "when", "create"].contains($0.name) }
        for member in members where !Vocabulary.effectKeys.supported.contains(member.name) {
            for part in read(member, alone: alone, expressions) {
                guard let (op, places) = part else {
                    isComplete = false
                    continue
                }
                operators.append(op)
                if !op.isDelete { touched += zip(op.sources + [op.path], places).map { ($0, member.name, $1) } }
            }
        }
        guard operators.count <= Self.maximumOperators else {
            findings.report("the effect changes more than \(Self.maximumOperators) paths", at: node.place)
            return nil
        }
        let filterReader = FilterReader(expressions: expressions)
        guard let filters = filterNode.map(filterReader.read) ?? [] else { return nil }
        guard checkConflicts(touched), isComplete, filterReader.check(filters, touched.map { ($0.path, $0.place) }) else { return nil }
        return Effect(
            operators, variables: variables.flatMap { $0 ?? [] }, filters: filters.map(\.filter), when: conditions.first ?? nil,
            creates: (creates.first ?? nil) ?? true)
    }

    /// `let:`, of which each value may use those before it.
    private func variables(_ node: YAMLNode) -> [Expression.Member]? {
        guard let members = node.members, !members.isEmpty else {
            if !node.isInvalid {
                findings.report("let: must be a map of names and values, found \(node.members == nil ? node.found : "an empty map")", at: node.place)
            }
            return nil
        }
        var variables: [Expression.Member] = []
        var isComplete = true
        for member in members {
            let expressions = ExpressionReader(findings: findings, variables: variables.map(\.name))
            let isGood = expressions.checkVariable(named: member.name, at: member.place)
            if let value = expressions.read(member.value), isGood {
                variables.append(Expression.Member(member.name, value))
            } else {
                isComplete = false
            }
        }
        return isComplete ? variables : nil
    }

    /// One for each path, with the places of its sources and its own; nil for those that were reported.
    private func read(_ member: YAMLNode.Member, alone: Bool, _ expressions: ExpressionReader) -> [(Operator, [Place])?] {
        if Vocabulary.effectKeys.later.contains(member.name) {
            findings.report("\(member.name): is not supported yet", at: member.place, .notSupportedYet)
            return [nil]
        }
        guard Vocabulary.updateOperators.supported.contains(member.name) else {
            let key = Suggestion.didYouMean(member.name, among: Vocabulary.effectKeys.supported + Vocabulary.effectKeys.later)
            let field = member.name.hasPrefix("$") ? nil : key ?? "a field is set by { $set: { name: value } }"
            Vocabulary.updateOperators.report(member.name, at: member.place, findings, suggestion: field)
            return [nil]
        }
        if member.name == "$delete" { return [delete(member, alone: alone)] }
        guard let fields = member.value.members, !fields.isEmpty else {
            if !member.value.isInvalid {
                let found = member.value.members == nil ? member.value.found : "an empty map"
                findings.report("\(member.name) must be a map of paths and values, found \(found)", at: member.value.place)
            }
            return [nil]
        }
        let paths = PathReader(
            expressions: expressions, allowsPlaceholders: !["$rename", "$contribute"].contains(member.name), allowsComputed: member.name != "$contribute")
        return fields.map { field in
            // Both, so that both are reported.
            let path = paths.read(field)
            let reader = OperandReader(expressions: expressions, name: member.name)
            guard let op = reader.read(field.value, path ?? FieldPath([field.name])), path != nil else { return nil }
            return (op, op.sources.isEmpty ? [field.place] : [field.place, field.value.place])
        }
    }

    private func delete(_ member: YAMLNode.Member, alone: Bool) -> (Operator, [Place])? {
        guard alone else {
            findings.report("$delete must stand alone in its effect", at: member.place)
            return nil
        }
        guard member.value.scalar?.value == true else {
            if !member.value.isInvalid { findings.report("$delete must be true, found \(member.value.found)", at: member.value.place) }
            return nil
        }
        return (.delete, [member.place])
    }

    private func checkConflicts(_ touched: [Touched]) -> Bool {
        guard touched.count <= Self.maximumOperators else { return true }
        var isFree = true
        for (index, later) in touched.enumerated() {
            guard let earlier = touched[..<index].first(where: { $0.path.conflicts(with: later.path) }) else { continue }
            isFree = false
            let (path, other) = (quoted(later.path.description), quoted(earlier.path.description))
            findings.report(
                "the path \(path) of \(later.name) conflicts with \(other) of \(earlier.name) at \(earlier.place)", at: later.place,
                suggestion: "one effect changes a path once; write a list of two effects"
            )
        }
        return isFree
    }
}
