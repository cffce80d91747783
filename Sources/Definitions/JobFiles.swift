import Events

/// The files of `jobs/`.
struct JobFiles {
    let directory: String
    let settings: ConfigurationReader.Settings
    /// Names of models; nil where some could not be read.
    let models: Set<String>?
    private(set) var jobs: [JobDefinition] = []
    private(set) var problems: [ConfigurationProblem] = []

    init(directory: String, settings: ConfigurationReader.Settings, models: Set<String>?) {
        self.directory = directory
        self.settings = settings
        self.models = models
    }

    mutating func read() {
        let directoryFindings = Findings(file: directory)
        let files = SourceFile.names(in: directory, directoryFindings) ?? []
        problems += directoryFindings.problems
        // Which job drains each stream: two would take turns at its lease.
        var drained: [String: String] = [:]
        // Which job reads each Redis stream for a group: two would each move a part of it.
        var bridged: [[String]: String] = [:]
        for file in files {
            let findings = Findings(file: "\(directory)/\(file)")
            defer { problems += findings.problems }
            guard let source = Configuration.text(findings),
                let job = JobReader(findings: findings, streams: settings.names, models: models)
                    .read(source, name: String(file.dropLast(".yaml".count)))
            else { continue }
            guard job.isEnabled else { continue }
            jobs.append(job)
            switch job.work {
            case .drain(let drain):
                for stream in drain.streams {
                    if let other = drained[stream] { findings.report("stream \(quoted(stream)) is drained by \(other) already", at: nil) }
                    drained[stream] = drained[stream] ?? "job \(job.name)"
                }
            case .command, .reconcile, .snapshot, .rebuild, .prune: break
            case .bridge(let bridge):
                checkFormat(of: bridge.stream, findings)
                for source in bridge.sources {
                    let reader = [source, bridge.group]
                    if let other = bridged[reader] {
                        findings.report("Redis stream \(quoted(source)) is read by \(other) already, as group \(quoted(bridge.group))", at: nil)
                    }
                    bridged[reader] = bridged[reader] ?? "job \(job.name)"
                }
            }
        }
    }

    /// What a bridge pushes is read by one format alone.
    private func checkFormat(of stream: String, _ findings: Findings) {
        guard let format = settings.streams.first(where: { $0.name == stream })?.shape.format else { return }
        if case .debezium = format { return }
        findings.report("stream \(quoted(stream)) cannot take what a bridge pushes", at: nil, suggestion: "give it format: debezium")
    }
}
