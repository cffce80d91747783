import Events
import Models
import Values

/// Reads the paths that operators change.
struct PathReader {
    /// Reads what names are computed from.
    let expressions: ExpressionReader
    /// Whether a part may stand for elements of an array.
    var allowsPlaceholders = true
    /// Whether an event may compute a part.
    var allowsComputed = true

    private var findings: Findings { expressions.findings }

    /// The path, or nil after it was reported.
    func read(_ member: YAMLNode.Member) -> FieldPath? { read(member.name, at: member.place) }

    func read(_ text: String, at place: Place) -> FieldPath? {
        func refuse(_ message: String, suggestion: String? = nil) -> FieldPath? {
            findings.report("the path \(quoted(text)) \(message)", at: place, suggestion: suggestion)
            return nil
        }
        if text.contains("${"), !allowsComputed { return refuse("has a computed name, which cannot stand here") }
        guard let path = text.contains("${") ? computed(text, at: place) : FieldPath(text) else {
            return text.contains("${") ? nil : refuse(text.isEmpty ? "is empty" : "has an empty part")
        }
        if text.utf8.contains(0) { return refuse("holds NUL") }
        for (number, name) in path.names.enumerated() where path.computed[number] == nil {
            if let filter = FieldPath.placeholder(name) {
                guard allowsPlaceholders else { return refuse("must not lead into an array") }
                guard filter.isEmpty || Self.isFilterName(filter) else { return refuse("has the part \(quoted(name))", suggestion: Self.filterNames) }
            } else if name == "$" {
                return refuse("has the part \"$\", which means what a query found, and a fold has none", suggestion: "write $[name] with arrayFilters")
            } else if name.hasPrefix("$") {
                return refuse("has the part \(quoted(name)), and names must not begin with $", suggestion: "an operator stands outside the paths")
            }
        }
        if let name = path.names.first, path.computed[0] == nil, FieldPath.placeholder(name) != nil {
            return refuse("begins with \(name), and a document is not an array", suggestion: "name the field that holds the array")
        }
        if let name = path.names.first, FieldPath.reserved.contains(name) {
            return refuse("begins with \(name), which Millrace sets itself")
        }
        guard path.names.count <= BSON.maximumDepth else { return refuse("is deeper than the \(BSON.maximumDepth) levels of a document") }
        return path
    }

    /// A path with names that each event computes: `"months.${$$month}"`.
    private func computed(_ text: String, at place: Place) -> FieldPath? {
        var names = [""]
        var isInside = false
        for character in text {
            // Dots between braces are the expression's.
            if character == ".", !isInside {
                names.append("")
                continue
            }
            isInside = isInside ? character != "}" : character == "{" && names[names.count - 1].hasSuffix("$")
            names[names.count - 1].append(character)
        }
        guard !names.contains("") else {
            findings.report("the path \(quoted(text)) has an empty part", at: place)
            return nil
        }
        var computed: [Int: [FieldPath.Piece]] = [:]
        for (number, name) in names.enumerated() where name.contains("${") {
            guard let pieces = pieces(of: name, in: text, at: place) else { return nil }
            computed[number] = pieces
        }
        return FieldPath(names, computed: computed)
    }

    private func pieces(of name: String, in text: String, at place: Place) -> [FieldPath.Piece]? {
        var pieces: [FieldPath.Piece] = []
        for (number, part) in name.split(separator: "${", omittingEmptySubsequences: false).enumerated() {
            var rest = part
            if number > 0 {
                guard let end = part.firstIndex(of: "}"), part.hasPrefix("$") else {
                    findings.report(
                        "the path \(quoted(text)): ${…} must hold a path that begins with $", at: place,
                        suggestion: "such as ${$data.month}; anything else gets a name by let:")
                    return nil
                }
                guard let expression = expressions.path(String(part[..<end]), at: place) else { return nil }
                pieces.append(.value(expression))
                rest = part[part.index(after: end)...]
            }
            if !rest.isEmpty { pieces.append(.text(String(rest))) }
        }
        return pieces
    }

    /// What MongoDB takes as the name of an array filter.
    static func isFilterName(_ name: String) -> Bool {
        guard let first = name.utf8.first, (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(first) else { return false }
        return name.utf8.allSatisfy { (48...57).contains($0) || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0 | 0x20) }
    }

    static let filterNames = "an array filter's name is letters and digits, and begins with a small letter"
}
