import Models
import Values

/// Reads what `$pull` and `arrayFilters` ask of elements.
struct PredicateReader {
    let findings: Findings
    /// Reads the values that are compared with.
    let value: (YAMLNode) -> Expression?

    typealias Condition = Predicate<Expression>

    /// Whether a map asks something of a value, as `{ $gte: 5 }` does, and is none itself.
    static func isTest(_ node: YAMLNode) -> Bool {
        guard let name = node.members?.first?.name else { return false }
        return name.hasPrefix("$") && name != "$literal" && !combinations.contains(name)
    }

    /// Whether a map of members has a test in it; else it is what members have to equal.
    static func hasTests(_ members: [YAMLNode.Member]) -> Bool {
        members.contains { member in member.name.hasPrefix("$") || isTest(member.value) || isCombination(member.value) }
    }

    private static func isCombination(_ node: YAMLNode) -> Bool { node.members?.first.map { combinations.contains($0.name) } ?? false }

    private static let combinations = ["$and", "$or"]

    /// Paths and what is asked of the values there: `{ rating: { $lt: 3 }, id: $data.id }`.
    func members(_ members: [YAMLNode.Member]) -> Condition? {
        together(
            members.map { member in
                if Self.combinations.contains(member.name) { return combination(member) }
                if member.name.hasPrefix("$") {
                    let suggestion = member.name == "$not" ? "such as { rating: { $not: { $lt: 3 } } }" : "tests stand below a name, or beside nothing else"
                    Vocabulary.predicates.report(member.name, at: member.place, findings, suggestion: suggestion)
                    return nil
                }
                guard let path = path(member) else { return nil }
                return asked(member.value, of: path)
            })
    }

    /// The parts of a member's name, or nil after it was reported.
    func path(_ member: YAMLNode.Member) -> [String]? {
        if let path = FieldPath(member.name), !member.name.utf8.contains(0) { return path.names }
        findings.report("the path \(quoted(member.name)) is empty, has an empty part or holds NUL", at: member.place)
        return nil
    }

    /// Tests of the value at a path: `{ $gte: 5, $lt: 9 }`.
    func tests(_ members: [YAMLNode.Member], of path: [String]) -> Condition? { together(members.map { test($0, of: path) }) }

    private func asked(_ node: YAMLNode, of path: [String]) -> Condition? {
        if let members = node.members, Self.isTest(node) || Self.isCombination(node) { return tests(members, of: path) }
        return value(node).map { .member(path, .compares(.equal, $0)) }
    }

    private func combination(_ member: YAMLNode.Member) -> Condition? {
        guard let nodes = member.value.elements, !nodes.isEmpty, nodes.allSatisfy({ $0.members?.isEmpty == false || $0.isInvalid }) else {
            if !member.value.isInvalid {
                findings.report("\(member.name) must be a list of maps, found \(member.value.found)", at: member.value.place)
            }
            return nil
        }
        let parts = nodes.map { $0.members.flatMap(members) }
        let conditions = parts.compactMap(\.self)
        guard conditions.count == parts.count else { return nil }
        return member.name == "$and" ? .all(conditions) : .any(conditions)
    }

    private func test(_ member: YAMLNode.Member, of path: [String]) -> Condition? {
        let node = member.value
        switch member.name {
        case "$ne": return value(node).map { .not(.member(path, .compares(.equal, $0))) }
        case "$in": return list(member).map { .member(path, .isIn($0)) }
        case "$nin": return list(member).map { .not(.member(path, .isIn($0))) }
        case "$exists":
            guard let isThere = node.scalar?.value.asBool else {
                if !node.isInvalid { findings.report("$exists must be true or false, found \(node.found)", at: node.place) }
                return nil
            }
            return isThere ? .member(path, .exists) : .not(.member(path, .exists))
        case "$not":
            guard let members = node.members, Self.isTest(node) else {
                if !node.isInvalid {
                    findings.report("$not must be a map of tests, found \(node.found)", at: node.place, suggestion: "such as { $not: { $lt: 3 } }")
                }
                return nil
            }
            return tests(members, of: path).map { .not($0) }
        case "$elemMatch":
            guard let members = node.members else {
                if !node.isInvalid { findings.report("$elemMatch must be a map, found \(node.found)", at: node.place) }
                return nil
            }
            if Self.isTest(node) { return tests(members, of: []).map { .member(path, .hasElement($0)) } }
            return self.members(members).map { .member(path, .hasDocument($0)) }
        default:
            if let comparison = Comparison(rawValue: member.name) { return value(node).map { .member(path, .compares(comparison, $0)) } }
            let isCombination = Self.combinations.contains(member.name)
            let suggestion = isCombination ? "it combines maps of names and tests, and stands beside names" : "tests stand beside nothing else"
            Vocabulary.predicates.report(member.name, at: member.place, findings, suggestion: suggestion)
            return nil
        }
    }

    private func list(_ member: YAMLNode.Member) -> Expression? {
        guard let expression = value(member.value) else { return nil }
        switch expression {
        case .array: return expression
        case _ where expression.isOpen: return expression
        case .literal(let literal) where literal.value.asArray != nil: return expression
        default:
            findings.report("\(member.name) must be a list or a path to one, found \(member.value.found)", at: member.value.place)
            return nil
        }
    }

    private func together(_ parts: [Condition?]) -> Condition? {
        let conditions = parts.compactMap(\.self)
        guard conditions.count == parts.count else { return nil }
        return conditions.count == 1 ? conditions[0] : .all(conditions)
    }
}
