import Events
import Models
import Values

/// Reads the paths that operators change.
struct PathReader {
    let findings: Findings

    /// The path, or nil after it was reported.
    func read(_ member: YAMLNode.Member) -> FieldPath? {
        let text = member.name
        func refuse(_ message: String, suggestion: String? = nil) -> FieldPath? {
            findings.report("the path \(quoted(text)) \(message)", at: member.place, suggestion: suggestion)
            return nil
        }
        if text.contains("${") {
            findings.report("the path \(quoted(text)): dynamic names are not supported yet", at: member.place, .notSupportedYet)
            return nil
        }
        guard let path = FieldPath(text) else { return refuse(text.isEmpty ? "is empty" : "has an empty part") }
        if path.names.contains(where: { $0 == "$" || $0.hasPrefix("$[") }) {
            findings.report("the path \(quoted(text)): placeholders for array elements are not supported yet", at: member.place, .notSupportedYet)
            return nil
        }
        if let name = path.names.first(where: { $0.hasPrefix("$") }) {
            return refuse("has the part \(quoted(name)), and names must not begin with $", suggestion: "an operator stands outside the paths")
        }
        if text.utf8.contains(0) { return refuse("holds NUL") }
        if let name = path.names.first, name == "_id" || name == "_position" {
            return refuse("begins with \(name), which Millrace sets itself")
        }
        guard path.names.count <= BSON.maximumDepth else { return refuse("is deeper than the \(BSON.maximumDepth) levels of a document") }
        return path
    }
}
