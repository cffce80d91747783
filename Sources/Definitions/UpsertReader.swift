import Events
import Models
import Values

/// Reads what `$upsert` does to an element: `{ where: { id: $data.id }, set: { label: $data.label }, sort: { id: 1 } }`.
struct UpsertReader {
    let expressions: ExpressionReader

    private var findings: Findings { expressions.findings }

    func read(_ node: YAMLNode, _ path: FieldPath) -> Operator? {
        let known = findings.problems.count
        guard let section = Section(node, "$upsert", keys: ["where", "set", "sort"], findings), let whereNode = section.required("where") else { return nil }
        let identity = identity(whereNode)
        let operators = section["set"].map { self.operators($0, path, identity ?? []) } ?? []
        let order = section["sort"].map { OrderReader(findings: findings, name: "sort").read($0) }
        guard let identity, let operators, findings.problems.count == known else { return nil }
        do throws(Refusal) {
            return try .upsert(path, where: identity, set: operators.map(\.op), sort: order ?? nil)
        } catch {
            findings.report("$upsert \(path): \(error.message)", at: node.place)
            return nil
        }
    }

    private func identity(_ node: YAMLNode) -> [Expression.Member]? {
        guard let members = node.members, !members.isEmpty else {
            if !node.isInvalid {
                let found = node.members == nil ? node.found : "an empty map"
                findings.report(
                    "where: must be a map of an element's fields and values, found \(found)", at: node.place, suggestion: "such as { id: $data.id }")
            }
            return nil
        }
        let identity = members.map { member -> Expression.Member? in
            guard !member.name.isEmpty, !member.name.hasPrefix("$"), !member.name.utf8.contains(where: { [0, UInt8(ascii: ".")].contains($0) }) else {
                findings.report(
                    "where: \(quoted(member.name)) is no name of a field", at: member.place, suggestion: "an element is known by its fields' values alone")
                return nil
            }
            return expressions.read(member.value).map { Expression.Member(member.name, $0) }
        }
        return identity.contains { $0 == nil } ? nil : identity.compactMap(\.self)
    }

    private typealias Setting = (op: Operator, place: Place)

    /// Values of the element's paths, and `$upsert` for arrays in it.
    private func operators(_ node: YAMLNode, _ parent: FieldPath, _ identity: [Expression.Member]) -> [Setting]? {
        guard let members = node.members, !members.isEmpty else {
            if !node.isInvalid {
                findings.report("set: must be a map of paths and values, found \(node.members == nil ? node.found : "an empty map")", at: node.place)
            }
            return nil
        }
        var settings: [Setting] = []
        for member in members {
            guard member.name == "$upsert" else {
                settings += setting(member, "$set", parent).map { [$0] } ?? []
                continue
            }
            guard let inner = member.value.members else {
                if !member.value.isInvalid { findings.report("$upsert must be a map of paths, found \(member.value.found)", at: member.value.place) }
                continue
            }
            settings += inner.compactMap { setting($0, "$upsert", parent) }
        }
        for (place, setting) in settings.enumerated() {
            if let member = identity.first(where: { FieldPath([$0.name]).conflicts(with: setting.op.path) }) {
                findings.report("set: \(setting.op.path) changes \(member.name), which the element is known by", at: setting.place)
            } else if let other = settings[..<place].first(where: { $0.op.path.conflicts(with: setting.op.path) }) {
                findings.report("set: \(setting.op.path) conflicts with \(other.op.path) at \(other.place)", at: setting.place)
            }
        }
        return settings
    }

    private func setting(_ member: YAMLNode.Member, _ name: String, _ parent: FieldPath) -> Setting? {
        let path = PathReader(expressions: expressions, allowsPlaceholders: false, allowsComputed: false).read(member)
        // The levels count from the document's.
        let whole = FieldPath(parent.names + ["$[]"] + (path?.names ?? [member.name]))
        guard let op = OperandReader(expressions: expressions, name: name).read(member.value, whole), let path else { return nil }
        return (op.at(path), member.place)
    }
}
