import Events
import Models
import Values

/// Reads the paths that operators change.
struct PathReader {
    let findings: Findings
    /// Whether a part may stand for elements of an array.
    var allowsPlaceholders = true

    /// The path, or nil after it was reported.
    func read(_ member: YAMLNode.Member) -> FieldPath? { read(member.name, at: member.place) }

    func read(_ text: String, at place: Place) -> FieldPath? {
        func refuse(_ message: String, suggestion: String? = nil) -> FieldPath? {
            findings.report("the path \(quoted(text)) \(message)", at: place, suggestion: suggestion)
            return nil
        }
        if text.contains("${") {
            findings.report("the path \(quoted(text)): dynamic names are not supported yet", at: place, .notSupportedYet)
            return nil
        }
        guard let path = FieldPath(text) else { return refuse(text.isEmpty ? "is empty" : "has an empty part") }
        if text.utf8.contains(0) { return refuse("holds NUL") }
        for name in path.names {
            if let filter = FieldPath.placeholder(name) {
                guard allowsPlaceholders else { return refuse("must not lead into an array") }
                guard filter.isEmpty || Self.isFilterName(filter) else { return refuse("has the part \(quoted(name))", suggestion: Self.filterNames) }
            } else if name == "$" {
                return refuse("has the part \"$\", which means what a query found, and a fold has none", suggestion: "write $[name] with arrayFilters")
            } else if name.hasPrefix("$") {
                return refuse("has the part \(quoted(name)), and names must not begin with $", suggestion: "an operator stands outside the paths")
            }
        }
        if let name = path.names.first, FieldPath.placeholder(name) != nil {
            return refuse("begins with \(name), and a document is not an array", suggestion: "name the field that holds the array")
        }
        if let name = path.names.first, name == "_id" || name == "_position" {
            return refuse("begins with \(name), which Millrace sets itself")
        }
        guard path.names.count <= BSON.maximumDepth else { return refuse("is deeper than the \(BSON.maximumDepth) levels of a document") }
        return path
    }

    /// What MongoDB takes as the name of an array filter.
    static func isFilterName(_ name: String) -> Bool {
        guard let first = name.utf8.first, (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(first) else { return false }
        return name.utf8.allSatisfy { (48...57).contains($0) || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0 | 0x20) }
    }

    static let filterNames = "an array filter's name is letters and digits, and begins with a small letter"
}
