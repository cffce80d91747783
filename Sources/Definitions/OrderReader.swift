import Models
import Values

/// Reads the order in which the elements of an array are to stand.
struct OrderReader {
    let findings: Findings
    /// Where it is written, for messages.
    let name: String

    /// `1` and `-1` sort the elements themselves, a map sorts by its fields.
    func read(_ node: YAMLNode) -> ElementOrder? {
        if let direction = direction(node) { return .whole(direction) }
        guard let members = node.members, !members.isEmpty else {
            if !node.isInvalid {
                findings.report("\(name) must be 1, -1 or a map of fields and 1 or -1, found \(node.found)", at: node.place)
            }
            return nil
        }
        let fields = members.map { member -> ElementOrder.Field? in
            guard let path = FieldPath(member.name), !member.name.utf8.contains(0) else {
                findings.report("the path \(quoted(member.name)) is empty, has an empty part or holds NUL", at: member.place)
                return nil
            }
            guard let direction = direction(member.value) else {
                if !member.value.isInvalid {
                    findings.report("\(name): \(member.name) must be 1 or -1, found \(member.value.found)", at: member.value.place)
                }
                return nil
            }
            return ElementOrder.Field(path, direction)
        }
        let good = fields.compactMap(\.self)
        return good.count == fields.count ? .fields(good) : nil
    }

    private func direction(_ node: YAMLNode) -> ElementOrder.Direction? {
        guard case .int32(let number)? = node.scalar?.value else { return nil }
        return ElementOrder.Direction(rawValue: number)
    }
}
