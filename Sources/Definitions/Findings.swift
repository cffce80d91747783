import Events

/// Where something stands in a file, counted from 1.
struct Place: Hashable, Comparable, CustomStringConvertible {
    var line: Int
    var column: Int

    static func < (left: Place, right: Place) -> Bool { (left.line, left.column) < (right.line, right.column) }

    var description: String { "\(line):\(column)" }
}

/// What was found wrong in one file. Readers report here and go on, so that a person sees everything at once.
final class Findings {
    let file: String
    private var reported: [ConfigurationProblem] = []

    init(file: String) { self.file = file }

    /// In the order of the lines; what concerns the whole file comes first.
    var problems: [ConfigurationProblem] {
        reported.enumerated().sorted { left, right in
            (left.element.line ?? 0, left.element.column ?? 0, left.offset) < (right.element.line ?? 0, right.element.column ?? 0, right.offset)
        }.map(\.element)
    }

    var isEmpty: Bool { reported.isEmpty }

    func report(_ message: String, at place: Place?, _ problem: Problem = .badConfiguration, suggestion: String? = nil) {
        reported.append(
            ConfigurationProblem(file: file, line: place?.line, column: place?.column, problem: problem, message: message, suggestion: suggestion)
        )
    }

    func report(_ problem: ConfigurationProblem) { reported.append(problem) }
}
