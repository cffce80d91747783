import Events
import Models
import Values

/// Reads what `$contribute` adds up: `{ by: $row.id, count: true, total: $row.score, average: $row.score }`.
struct ContributionReader {
    let expressions: ExpressionReader

    private var findings: Findings { expressions.findings }

    func read(_ node: YAMLNode, _ path: FieldPath) -> Operator? {
        let known = findings.problems.count
        let names = Operator.Sum.allCases.map(\.rawValue)
        guard let section = Section(node, "$contribute", keys: ["by", "remove"] + names, findings) else { return nil }
        let row = section.required("by").flatMap(expressions.read)
        let removal = section["remove"].map(expressions.read) ?? Self.isDeletion
        let sums = Operator.Sum.allCases.compactMap { sum in section[sum.rawValue].map { (sum, $0) } }
        if sums.isEmpty { findings.report("$contribute adds nothing up", at: node.place, suggestion: "such as count: true or total: $row.score") }
        let values = sums.map { sum, node in (sum: sum, value: value(node, sum)) }
        guard let row, let removal, findings.problems.count == known else { return nil }
        return .contribute(path, by: row, remove: removal, values)
    }

    private func value(_ node: YAMLNode, _ sum: Operator.Sum) -> Expression? {
        guard sum == .count else { return expressions.read(node) }
        if node.scalar?.value != true, !node.isInvalid { findings.report("count: must be true, found \(node.found)", at: node.place) }
        return nil
    }

    /// What row events say of a deleted row.
    private static let isDeletion = ExpressionOperator.all["$eq"].map {
        Expression.apply(Application($0, [.event(name: .op, path: []), .literal(.init("d"))]))
    }
}
