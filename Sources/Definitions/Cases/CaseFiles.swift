import Events
import Models

/// The files of cases: those of `tests/`, or others.
public struct CaseFiles: Sendable {
    public private(set) var files: [CaseFile] = []
    public private(set) var problems: [ConfigurationProblem] = []

    /// Reads every file of a configuration's `tests/`. Without the folder there are none.
    ///
    /// - Parameter models: names of the models; nil when they are not known.
    public init(configuration directory: String, models: Set<String>?) {
        let directory = Configuration.trimmed(directory) + "/tests"
        let findings = Findings(file: directory)
        let names = SourceFile.names(in: directory, findings) ?? []
        problems += findings.problems
        for name in names { read("\(directory)/\(name)", models) }
    }

    /// Reads the files that somebody names.
    public init(paths: [String], models: Set<String>?) {
        for path in paths { read(path, models) }
    }

    private mutating func read(_ path: String, _ models: Set<String>?) {
        let findings = Findings(file: path)
        let file = Configuration.text(findings).flatMap { CaseReader(findings: findings, models: models).read($0) }
        problems += findings.problems
        if let file, findings.isEmpty { files.append(file) }
    }

    /// Runs every case, in order. The configuration has every model that the files name.
    public func run(_ configuration: Configuration) -> [CaseResult] {
        files.flatMap { file -> [CaseResult] in
            guard let model = configuration.model(file.model), let stream = configuration.stream(model.stream) else { return [] }
            return file.cases.map { $0.run(model, stream, file: file.file) }
        }
    }
}
