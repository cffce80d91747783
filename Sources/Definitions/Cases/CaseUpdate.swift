import Events
import Values

/// Writes into a file of cases what its cases should have expected. Everything but the expectations that change stays as
/// it is, comments among it.
public struct CaseUpdate: Sendable {
    /// The file's text afterwards.
    public private(set) var text: String
    /// How many cases were updated.
    public private(set) var count = 0
    /// Names of cases whose expectation has to be written by hand.
    public private(set) var left: [String] = []

    /// - Parameter results: of this file's cases, in their order.
    public init(_ file: CaseFile, _ results: [CaseResult]) {
        var lines = YAMLLines(file.source)
        // From the end, so that places before stay what they are.
        for result in results.reversed() {
            guard let actual = result.actual else { continue }
            var changed = lines
            if changed.replace(result.case, with: actual.value), Self.expects(changed.text, actual, result.case, file.file) {
                lines = changed
                count += 1
            } else {
                left.insert(result.case.name, at: 0)
            }
        }
        text = lines.text
    }

    /// Whether the text is read as it was meant: what is written over a file must not damage it.
    private static func expects(_ text: String, _ actual: Expectation, _ of: Case, _ file: String) -> Bool {
        let findings = Findings(file: file)
        let read = CaseReader(findings: findings, models: nil).read(text)
        guard findings.isEmpty, let found = read?.cases.first(where: { $0.name.utf8Equal(of.name) }) else { return false }
        return found.expectation?.value == actual.value && found.elements.count == of.elements.count
    }
}

/// The lines of a YAML file, for replacing a part of it.
private struct YAMLLines {
    private var lines: [String]

    /// A byte order mark does not count as a column, and goes.
    init(_ text: String) {
        // By scalars: Swift takes CR LF for one character.
        let scalars = text.unicodeScalars.first == "\u{FEFF}" ? text.unicodeScalars.dropFirst() : text.unicodeScalars[...]
        lines = scalars.split(separator: "\n", omittingEmptySubsequences: false).map { String($0) }
    }

    var text: String { lines.joined(separator: "\n") }

    /// Replaces what the case expects, or adds it at the case's end. False where it cannot be found.
    mutating func replace(_ of: Case, with expectation: Document) -> Bool {
        guard let (key, value) = of.expectPlace else {
            // The case is a map in a list: its members stand where its first one does.
            let indent = of.place.column - 1
            guard lines.indices.contains(of.place.line - 1), lines[of.place.line - 1].dropFirst(indent).first != "{" else { return false }
            let end = endOfBlock(after: of.place.line - 1, deeperThan: indent - 1)
            lines.insert(contentsOf: Self.block(expectation, indent: indent), at: end)
            return true
        }
        guard lines.indices.contains(key.line - 1), lines.indices.contains(value.line - 1) else { return false }
        let scalars = Array(lines[value.line - 1].unicodeScalars)
        if scalars.indices.contains(value.column - 1), scalars[value.column - 1] == "{" { return replaceFlow(key, value, expectation) }
        let line = Array(lines[key.line - 1].unicodeScalars)
        // In a list the first member stands behind a dash. Where YAML knows line breaks that are none here, it is not found.
        guard key.column <= line.count, line[..<(key.column - 1)].allSatisfy({ $0 == " " || $0 == "-" }) else { return false }
        let end = endOfBlock(after: key.line - 1, deeperThan: key.column - 1)
        var block = Self.block(expectation, indent: key.column - 1)
        block[0] = String(String.UnicodeScalarView(line[..<(key.column - 1)])) + block[0].drop { $0 == " " }
        lines.replaceSubrange((key.line - 1)..<end, with: block)
        return true
    }

    /// Each document and each parked event on a line of its own.
    private static func block(_ expectation: Document, indent: Int) -> [String] {
        let head = String(repeating: " ", count: indent)
        guard !expectation.isEmpty else { return [head + "expect: {}"] }
        return [head + "expect:"]
            + expectation.fields.flatMap { field -> [String] in
                switch field.value {
                case .document(let documents) where !documents.isEmpty:
                    return ["\(head)  \(field.name):"] + YAMLText.lines(documents, indent: indent + 4)
                case .array(let parked) where parked.first?.asDocument != nil:
                    return ["\(head)  \(field.name):"] + parked.map { "\(head)    - \(YAMLText.flow($0))" }
                default: return YAMLText.lines(field.name, field.value, indent: indent + 2)
                }
            }
    }

    /// The index after the last line that belongs to the block which begins at `index`: lines that are indented deeper.
    /// Comments and blank lines that follow it belong to what comes next.
    private func endOfBlock(after index: Int, deeperThan indent: Int) -> Int {
        var end = index + 1
        for (number, line) in lines.enumerated().dropFirst(index + 1) {
            let rest = line.drop { $0 == " " }
            if rest.allSatisfy(\.isWhitespace) || rest.first == "#" { continue }
            guard line.count - rest.count > indent else { break }
            end = number + 1
        }
        return end
    }

    /// Replaces a value in braces, which may go over several lines.
    private mutating func replaceFlow(_ key: Place, _ value: Place, _ expectation: Document) -> Bool {
        guard let end = endOfFlow(value) else { return false }
        let head = String(String.UnicodeScalarView(Array(lines[value.line - 1].unicodeScalars)[..<(value.column - 1)]))
        let tail = String(String.UnicodeScalarView(Array(lines[end.line - 1].unicodeScalars)[end.column...]))
        let line = head + YAMLText.flow(.document(expectation)) + tail
        // A case of several lines may as well have what it expects on several.
        let prefix = Array(head.unicodeScalars)
        let standsAlone = key.line == value.line && prefix.prefix(key.column - 1).allSatisfy { $0 == " " } && tail.allSatisfy(\.isWhitespace)
        let new = line.count > YAMLText.width && standsAlone ? Self.block(expectation, indent: key.column - 1) : [line]
        lines.replaceSubrange((value.line - 1)...(end.line - 1), with: new)
        return true
    }

    /// The place of the brace that closes the one at `start`.
    private func endOfFlow(_ start: Place) -> Place? {
        var depth = 0
        var quote: Unicode.Scalar?
        for (number, line) in lines.enumerated().dropFirst(start.line - 1) {
            let scalars = Array(line.unicodeScalars)
            var column = number == start.line - 1 ? start.column - 1 : 0
            while column < scalars.count {
                let scalar = scalars[column]
                switch (quote, scalar) {
                case ("\""?, "\\"): column += 1
                case (let open?, _): if scalar == open { quote = nil }
                case (nil, "#") where column == 0 || scalars[column - 1] == " ": column = scalars.count
                case (nil, "\""), (nil, "'"):
                    // Inside a plain word it is a letter like any other.
                    if column == 0 || " {[,:".unicodeScalars.contains(scalars[column - 1]) { quote = scalar }
                case (nil, "{"), (nil, "["): depth += 1
                case (nil, "}"), (nil, "]"):
                    depth -= 1
                    if depth == 0 { return Place(line: number + 1, column: column + 1) }
                default: break
                }
                column += 1
            }
        }
        return nil
    }
}
