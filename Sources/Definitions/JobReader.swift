import Events
import Schedules
import Values

/// Reads one file of `jobs/`.
struct JobReader {
    /// Kinds of job with the keys that each has beside `keys`.
    static let kinds: [(name: String, keys: [String])] = [
        ("drain", drainKeys), ("bridge", bridgeKeys), ("command", commandKeys + TimetableReader.keys),
        ("reconcile", BatchReader.reconcileKeys + TimetableReader.keys), ("snapshot", BatchReader.snapshotKeys + TimetableReader.keys),
        ("rebuild", BatchReader.rebuildKeys + TimetableReader.keys), ("prune", BatchReader.pruneKeys + TimetableReader.keys),
    ]
    static let keys = ["job", "enabled"]
    static let drainKeys = ["streams", "poll", "every"]
    static let bridgeKeys = ["from", "to", "group", "trim"]
    static let commandKeys = ["run"]

    let findings: Findings
    /// The streams that there are; nil when they are not known, and then they are not looked for.
    let streams: Set<String>?
    /// The models that there are, likewise.
    let models: Set<String>?

    /// The job, or nil when something is wrong with it.
    func read(_ source: String, name: String) -> JobDefinition? {
        guard findings.check(name: name, "job", at: nil), let root = YAMLReader.read(source, findings), Section.checkVersion(root, findings) else {
            return nil
        }
        // What else a job of another kind may say is not known here.
        let node = root.members?.first { $0.name == "job" }?.value
        let kind = Self.kinds.first { $0.name == node?.scalar?.value.asString }
        if let node, kind == nil {
            report(node)
            return nil
        }
        guard let section = Section.root(root, "a job", keys: Self.keys + (kind?.keys ?? Self.drainKeys), findings) else { return nil }
        _ = section.required("job")
        let isEnabled = section["enabled"].flatMap { findings.bool($0, "enabled") } ?? true
        // What is switched off may be an example, of streams that are not there.
        let streams = isEnabled ? streams : nil
        var job: JobDefinition?
        switch kind?.name {
        case "bridge": job = bridge(section, streams).map { JobDefinition(name: name, work: .bridge($0)) }
        case "drain", nil: job = JobDefinition(name: name, work: .drain(drain(section, streams)))
        case let kind?:
            let timetable = TimetableReader(findings: findings).read(section)
            let work =
                kind == "command" ? command(section) : BatchReader(findings: findings, models: isEnabled ? models : nil, streams: streams).read(kind, section)
            if let timetable, let work { job = JobDefinition(name: name, work: work, timetable: timetable) }
        }
        job?.isEnabled = isEnabled
        return findings.isEmpty ? job : nil
    }

    private func drain(_ section: Section, _ streams: Set<String>?) -> JobDefinition.Drain {
        var drain = JobDefinition.Drain(streams: streams?.sorted() ?? [])
        if let node = section["streams"] { drain.streams = findings.names(node, "streams", "stream", known: streams)?.sorted() ?? [] }
        if let node = section["poll"] { drain.poll = findings.duration(node, "poll", in: JobDefinition.pollRange) ?? drain.poll }
        if let node = section["every"] { drain.every = findings.duration(node, "every", in: JobDefinition.everyRange) ?? drain.every }
        return drain
    }

    private func bridge(_ section: Section, _ streams: Set<String>?) -> JobDefinition.Bridge? {
        let sources = section.required("from").flatMap { findings.names($0, "from", "Redis stream", known: nil) }
        let target = section.required("to")
        guard let sources, let target, let stream = findings.string(target, "to") else { return nil }
        if let streams, !findings.isKnown(stream, "stream", streams, at: target.place) { return nil }
        var bridge = JobDefinition.Bridge(sources: sources, stream: stream)
        if let node = section["group"] { bridge.group = findings.string(node, "group") ?? bridge.group }
        if let node = section["trim"] { bridge.trim = findings.bool(node, "trim") ?? bridge.trim }
        return bridge
    }

    private func command(_ section: Section) -> JobDefinition.Work? {
        guard let node = section.required("run") else { return nil }
        return findings.words(node, "run").map { .command(JobDefinition.Command(words: $0)) }
    }

    private func report(_ kind: YAMLNode) {
        guard let text = findings.string(kind, "job") else { return }
        findings.report(
            "unknown job \(quoted(text))", at: kind.place, .unknownName,
            suggestion: Suggestion.didYouMean(text, among: Self.kinds.map(\.name)) ?? "write job: drain"
        )
    }
}
