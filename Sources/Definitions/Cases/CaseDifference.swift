import Values

/// How what came out differs from what should, for a person.
public struct CaseDifference: Hashable, Sendable {
    /// In one line.
    public var what: String
    /// Each difference in a line of its own.
    public var lines: [String]

    /// Lines of a case's differences; nobody reads more.
    private static let most = 50

    /// - Parameter word: what the expected documents are called.
    static func lines(expected: [(id: String, fields: Document)], found: [(id: String, fields: Document)], _ word: String = "expected") -> [String] {
        var lines: [String] = []
        for (id, fields) in expected {
            if let other = found.first(where: { $0.id.utf8Equal(id) }) {
                compare(fields, other.fields, shown(id), "", word, &lines)
            } else {
                lines.append("\(shown(id)): \(word) \(YAMLText.short(.document(fields))), found no document")
            }
        }
        for (id, fields) in found where !expected.contains(where: { $0.id.utf8Equal(id) }) {
            lines.append("\(shown(id)): \(word) no document, found \(YAMLText.short(.document(fields)))")
        }
        return lines.count <= most ? lines : lines.prefix(most) + ["… and \(lines.count - most) more"]
    }

    private static func shown(_ name: String) -> String { YAMLText.scalar(name) }

    private static func compare(_ expected: Document, _ found: Document, _ id: String, _ path: String, _ word: String, _ lines: inout [String]) {
        for field in expected.fields {
            compare(field.value, found[field.name], id, path.isEmpty ? shown(field.name) : "\(path).\(shown(field.name))", word, &lines)
        }
        for field in found.fields where expected[field.name] == nil {
            compare(nil, field.value, id, path.isEmpty ? shown(field.name) : "\(path).\(shown(field.name))", word, &lines)
        }
        let names = (expected.fields.map { ExactString($0.name) }, found.fields.map { ExactString($0.name) })
        guard names.0 != names.1, Set(names.0) == Set(names.1) else { return }
        let orders = [expected, found].map { $0.fields.map { shown($0.name) }.joined(separator: ", ") }
        lines.append("\(id)\(path.isEmpty ? "" : " " + path): the fields stand in another order: \(word) \(orders[0]); found \(orders[1])")
    }

    private static func compare(_ expected: Value?, _ found: Value?, _ id: String, _ path: String, _ word: String, _ lines: inout [String]) {
        switch (expected, found) {
        case (let expected?, let found?) where expected == found: return
        case (.document(let expected)?, .document(let found)?): compare(expected, found, id, path, word, &lines)
        case (.array(let expected)?, .array(let found)?) where expected.count == found.count:
            for (place, pair) in zip(expected, found).enumerated() { compare(pair.0, pair.1, id, "\(path)[\(place)]", word, &lines) }
        default: lines.append("\(id) \(path): \(word) \(expected.map(YAMLText.short) ?? "nothing"), found \(found.map(YAMLText.short) ?? "nothing")")
        }
    }
}
