import Models

/// The files of `models/`.
struct ModelFiles {
    let directory: String
    /// nil when they are not known, and then a model's stream is not looked for.
    let streams: Set<String>?
    /// Those whose events are in Millrace's own envelope.
    let native: Set<String>
    /// Of the streams' events.
    let versions: [String: StreamVersions]
    private(set) var models: [Model] = []
    private(set) var problems: [ConfigurationProblem] = []

    init(directory: String, streams: Set<String>?, native: Set<String>, versions: [String: StreamVersions]) {
        self.directory = directory
        self.streams = streams
        self.native = native
        self.versions = versions
    }

    mutating func read() {
        let findings = Findings(file: directory)
        guard let files = SourceFile.names(in: directory, findings) else {
            findings.report("there is no such directory", at: nil, suggestion: "create it, and put a model such as product.yaml into it")
            problems += findings.problems
            return
        }
        problems += findings.problems
        var places: [String: String] = [:]
        for file in files { read("\(directory)/\(file)", &places) }
    }

    /// `places` tells where each name was first given.
    private mutating func read(_ file: String, _ places: inout [String: String]) {
        let findings = Findings(file: file)
        defer { problems += findings.problems }
        guard let source = Configuration.text(findings), let reading = ModelReader.read(source, versions, findings) else { return }
        let model = reading.model
        if let streams, findings.isKnown(model.stream, "stream", streams, at: reading.stream), let place = reading.source, !native.contains(model.stream) {
            findings.report("source: needs a stream of format: native, since its rows become events of that format", at: place)
        }
        if let first = places[model.name] {
            findings.report("model \(quoted(model.name)) is defined a second time, first in \(first)", at: reading.name)
            return
        }
        places[model.name] = "\(file):\(reading.name)"
        models.append(model)
    }
}
