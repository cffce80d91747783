/// Results in the XML that build servers read: one suite a file, as JUnit's Ant task writes it.
public enum JUnitReport {
    public static func xml(_ results: [CaseResult]) -> String {
        var files: [String] = []
        for result in results where !files.contains(result.file) { files.append(result.file) }
        var lines = ["<?xml version=\"1.0\" encoding=\"UTF-8\"?>", "<testsuites \(counts(results))>"]
        for file in files {
            let suite = results.filter { $0.file == file }
            lines.append("  <testsuite name=\"\(escaped(file))\" \(counts(suite))>")
            for result in suite { lines += testcase(result) }
            lines.append("  </testsuite>")
        }
        return (lines + ["</testsuites>", ""]).joined(separator: "\n")
    }

    private static func counts(_ results: [CaseResult]) -> String {
        let time = results.reduce(Duration.zero) { $0 + $1.lasted }
        return "tests=\"\(results.count)\" failures=\"\(results.count { !$0.isGood })\" errors=\"0\" time=\"\(seconds(time))\""
    }

    private static func testcase(_ result: CaseResult) -> [String] {
        let head =
            "    <testcase classname=\"\(escaped(result.model))\" name=\"\(escaped(result.case.name))\" file=\"\(escaped(result.file))\""
            + " line=\"\(result.case.line)\" time=\"\(seconds(result.lasted))\""
        guard let first = result.differences.first else { return [head + "/>"] }
        let text = result.differences.flatMap { [$0.what] + $0.lines.map { "  " + $0 } }.joined(separator: "\n")
        return [head + ">", "      <failure message=\"\(escaped(first.what))\">\(escaped(text))</failure>", "    </testcase>"]
    }

    private static func seconds(_ duration: Duration) -> String {
        let parts = duration.components
        let microseconds = parts.seconds * 1_000_000 + parts.attoseconds / 1_000_000_000_000
        let digits = String(microseconds % 1_000_000)
        return "\(microseconds / 1_000_000).\(String(repeating: "0", count: 6 - digits.count))\(digits)"
    }

    /// XML 1.0 has no control characters but three, not even as references.
    private static func escaped(_ text: String) -> String {
        var escaped = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "\"": escaped += "&quot;"
            case "\t", "\n", "\r": escaped += "&#\(scalar.value);"
            case _ where scalar.value < 0x20 || scalar.value == 0xFFFE || scalar.value == 0xFFFF: escaped += "\u{FFFD}"
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }
}
