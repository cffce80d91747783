import Events

/// Something wrong with the configuration: where, what, and what to do.
public struct ConfigurationProblem: Error, Hashable, Sendable, CustomStringConvertible {
    /// The file as a person opens it, or the environment variable.
    public var file: String
    /// Counted from 1; nil when the problem is the file as a whole.
    public var line: Int?
    /// Counted from 1, in Unicode scalars.
    public var column: Int?
    public var problem: Problem
    /// What was found and what is allowed. Holds no secrets.
    public var message: String
    /// What to write instead, as far as that can be guessed.
    public var suggestion: String?

    public init(file: String, line: Int? = nil, column: Int? = nil, problem: Problem = .badConfiguration, message: String, suggestion: String? = nil) {
        self.file = file
        self.line = line
        self.column = column
        self.problem = problem
        self.message = message
        self.suggestion = suggestion
    }

    /// `config/models/product.yaml:12:5: unknown key "partitons" — did you mean "partitions"?`
    public var description: String {
        let place = [line, column].compactMap { $0.map { ":\($0)" } }.joined()
        return "\(file)\(place): \(message)" + (suggestion.map { " — \($0)" } ?? "")
    }
}

/// Everything that is wrong with the configuration, file by file and in the order of the lines.
public struct ConfigurationProblems: Error, Hashable, Sendable, CustomStringConvertible {
    public var problems: [ConfigurationProblem]

    public init(_ problems: [ConfigurationProblem]) { self.problems = problems }

    public var description: String { problems.map(\.description).joined(separator: "\n") }
}

extension Problem {
    /// Part of the language, but not of this version.
    public static let notSupportedYet = Problem(rawValue: "not-supported-yet")
}
