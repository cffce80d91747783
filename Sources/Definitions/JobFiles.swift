import Events

/// The files of `jobs/`.
struct JobFiles {
    let directory: String
    let streams: Set<String>?
    private(set) var jobs: [JobDefinition] = []
    private(set) var problems: [ConfigurationProblem] = []

    init(directory: String, streams: Set<String>?) {
        self.directory = directory
        self.streams = streams
    }

    mutating func read() {
        let directoryFindings = Findings(file: directory)
        let files = SourceFile.names(in: directory, directoryFindings) ?? []
        problems += directoryFindings.problems
        // Which job drains each stream: two would take turns at its lease.
        var drained: [String: String] = [:]
        for file in files {
            let findings = Findings(file: "\(directory)/\(file)")
            defer { problems += findings.problems }
            guard let source = Configuration.text(findings),
                let job = JobReader.read(source, name: String(file.dropLast(".yaml".count)), streams: streams, findings)
            else { continue }
            jobs.append(job)
            guard case .drain(let drain) = job.work else { continue }
            for stream in drain.streams {
                if let other = drained[stream] { findings.report("stream \(quoted(stream)) is drained by \(other) already", at: nil) }
                drained[stream] = drained[stream] ?? "job \(job.name)"
            }
        }
    }
}
