import Yams

/// A file parsed by Yams, with every duplicate key still in it.
///
/// Yams stops at the first map with a duplicate key. So that the rest is read all the same, the earlier of the two is
/// masked, and the text parsed again, until it passes. Masks keep the length, so that all places stay what they were.
struct YAMLComposition {
    /// Each mask costs one more parse.
    static let maximumMasks = 100

    /// nil for an empty file.
    var root: Node?
    /// What the masked keys are called.
    var masked: [Place: String]

    /// The parsed text, or nil after a syntax error, which is then among the findings.
    static func compose(_ text: String, _ findings: Findings) -> YAMLComposition? {
        // A byte order mark is no content, but would count as a column.
        var scalars = Array(text.unicodeScalars)
        if scalars.first == "\u{FEFF}" { scalars.removeFirst() }
        var masked: [Place: String] = [:]
        while true {
            let text = String(String.UnicodeScalarView(scalars))
            do {
                // Without rules, scalars are what they look like; and the encoding is given, since Yams would otherwise
                // ask the environment.
                let parser = try Parser(yaml: text, resolver: .basic, encoding: .utf8)
                return YAMLComposition(root: try parser.singleRoot(), masked: masked)
            } catch YamlError.duplicatedKeysInMapping(let names, let context) {
                let place = Place(line: context.mark.line, column: context.mark.column)
                let name = names.first ?? ""
                guard masked.count < maximumMasks, mask(name, at: place, masked.count, &scalars) else {
                    findings.report("the key \(quoted(name)) stands here, and a second time in the same map", at: place)
                    return nil
                }
                masked[place] = name
            } catch {
                report(error, scalars, findings)
                return nil
            }
        }
    }

    /// Replaces a key by characters for private use that occur nowhere else. False where the key is not written as it
    /// is called: with escapes, or through an alias.
    private static func mask(_ name: String, at place: Place, _ number: Int, _ scalars: inout [Unicode.Scalar]) -> Bool {
        let name = Array(name.unicodeScalars)
        guard !name.isEmpty, var start = index(of: place, in: scalars), start < scalars.count else { return false }
        // Quotes stay: only after a quoted key may the colon be followed by anything but a space.
        if scalars[start] == "\"" || scalars[start] == "'" { start += 1 }
        guard scalars[start...].starts(with: name), let first = Unicode.Scalar(0xE000 + UInt32(number)) else { return false }
        scalars.replaceSubrange(start..<(start + name.count), with: [first] + repeatElement("\u{F8FF}", count: name.count - 1))
        return true
    }

    /// The place's index, with the line breaks that libyaml knows.
    static func index(of place: Place, in scalars: [Unicode.Scalar]) -> Int? {
        var line = 1
        var start = 0
        while line < place.line {
            guard let end = scalars[start...].firstIndex(where: { ["\n", "\r", "\u{85}", "\u{2028}", "\u{2029}"].contains($0) }) else { return nil }
            start = end + (scalars[end] == "\r" && end + 1 < scalars.count && scalars[end + 1] == "\n" ? 2 : 1)
            line += 1
        }
        return start + place.column - 1
    }
}

// MARK: Syntax errors

extension YAMLComposition {
    private static func report(_ error: any Error, _ scalars: [Unicode.Scalar], _ findings: Findings) {
        switch error {
        case YamlError.scanner(let context, let problem, let mark, _), YamlError.parser(let context, let problem, let mark, _),
            YamlError.composer(let context, let problem, let mark, _):
            let place = Place(line: mark.line, column: mark.column)
            if problem == "but found another document" {
                findings.report("a second document begins here, and a file holds one", at: place)
                return
            }
            if problem.hasPrefix("Maximum nesting") {
                findings.report("is nested too deeply to be read", at: place)
                return
            }
            let character = index(of: place, in: scalars).flatMap { scalars.indices.contains($0) ? scalars[$0] : nil }
            findings.report(
                "is not valid YAML: \(problem)" + (context.map { " \($0.text)" } ?? ""), at: place, suggestion: remedy(problem, character)
            )
        case YamlError.reader(let problem, let offset, _, let yaml):
            // The offset counts characters as Swift does.
            let place = offset.map { offset in
                let lines = yaml.prefix(offset).split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
                return Place(line: max(lines.count, 1), column: (lines.last?.unicodeScalars.count ?? 0) + 1)
            }
            findings.report("is not valid YAML: \(problem)", at: place, suggestion: "write it as an escape in double quotes")
        case YamlError.memory: findings.report("is nested too deeply to be read", at: nil)
        default: findings.report("is not valid YAML", at: nil)
        }
    }

    /// What to do about the errors that people make; libyaml's own words tell what it met, not what was meant.
    private static func remedy(_ problem: String, _ character: Unicode.Scalar?) -> String? {
        switch (problem, character) {
        case (_, "\t"): "indent with spaces, not with tabs"
        case ("found character that cannot start any token", let character?): "quote a value that begins with \(character)"
        case ("found unexpected ':'", _): "quote a value that holds braces, such as \"events:{product}\""
        case ("mapping values are not allowed in this context", _): "quote a value that holds a colon, or check the indentation"
        case ("did not find expected key", _), ("did not find expected '-' indicator", _): "check the indentation"
        default: nil
        }
    }
}
