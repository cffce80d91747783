import Models
import Values

/// Reads `indexes:`.
struct IndexReader {
    let findings: Findings

    /// What MongoDB's indexes have besides, and why a model's have not.
    private static let options = [
        "unique": "what an event makes cannot be refused for what another document holds",
        "sparse": "an index of a model holds every document", "partialFilterExpression": "an index of a model holds every document",
        "expireAfterSeconds": "a document goes by what the log says, and not by a clock",
    ]

    func read(_ node: YAMLNode) -> [DocumentIndex] {
        guard let nodes = node.elements, !nodes.isEmpty else {
            if !node.isInvalid {
                findings.report("indexes: must be a list of paths with 1 or -1, found \(node.found)", at: node.place, suggestion: "such as [ { category: 1 } ]")
            }
            return []
        }
        if nodes.count > DocumentIndex.mostIndexes {
            findings.report("a model has at most \(DocumentIndex.mostIndexes) indexes, found \(nodes.count)", at: node.place)
        }
        var places: [String: Place] = [:]
        return nodes.compactMap { node in
            guard let index = index(node) else { return nil }
            if let first = places[index.name] { findings.report("the index stands here a second time, first at \(first)", at: node.place) }
            places[index.name] = node.place
            return index
        }
    }

    private func index(_ node: YAMLNode) -> DocumentIndex? {
        guard let members = node.members, !members.isEmpty else {
            if !node.isInvalid {
                let found = node.members == nil ? node.found : "an empty map"
                findings.report("an index must be a map of paths and 1 or -1, found \(found)", at: node.place, suggestion: "such as { category: 1 }")
            }
            return nil
        }
        if members.count > DocumentIndex.mostFields {
            findings.report("an index has at most \(DocumentIndex.mostFields) fields, found \(members.count)", at: node.place)
        }
        if members.count == 1, members[0].name == "_id" { findings.report("_id has an index of its own", at: members[0].place) }
        let fields = members.map(field)
        return fields.contains { $0 == nil } ? nil : DocumentIndex(fields.compactMap(\.self))
    }

    private func field(_ member: YAMLNode.Member) -> DocumentIndex.Field? {
        guard let direction = direction(member.value) else {
            if let reason = Self.options[member.name] {
                findings.report("indexes: \(member.name) is refused: \(reason)", at: member.place)
            } else if !member.value.isInvalid {
                findings.report(
                    "indexes: \(member.name) must be 1 or -1, found \(member.value.found)", at: member.value.place,
                    suggestion: "indexes of other kinds can be made by hand: Millrace leaves them alone")
            }
            return nil
        }
        if member.name == "_id" { return DocumentIndex.Field(member.name, direction) }
        let paths = PathReader(expressions: ExpressionReader(findings: findings), allowsPlaceholders: false, allowsComputed: false)
        return paths.read(member).map { DocumentIndex.Field($0.description, direction) }
    }

    private func direction(_ node: YAMLNode) -> Int32? {
        guard case .int32(let number)? = node.scalar?.value, number == 1 || number == -1 else { return nil }
        return number
    }
}
