import Events
import Values

/// Reads one file of `jobs/`.
struct JobReader {
    static let kinds = ["drain", "bridge"]
    static let keys = ["job", "enabled"]
    static let drainKeys = ["streams", "poll", "every"]
    static let bridgeKeys = ["from", "to", "group", "trim"]
    /// Kinds of job that the design has.
    static let later = ["reconcile", "rebuild", "snapshot", "prune", "command"]

    let findings: Findings
    /// The streams that there are; nil when they are not known, and then they are not looked for.
    let streams: Set<String>?

    /// The job, or nil when something is wrong with it.
    func read(_ source: String, name: String) -> JobDefinition? {
        guard findings.check(name: name, "job", at: nil), let root = YAMLReader.read(source, findings), Section.checkVersion(root, findings) else {
            return nil
        }
        // What else a job of another kind may say is not known here.
        let kind = root.members?.first { $0.name == "job" }?.value
        if let kind, !Self.kinds.contains(kind.scalar?.value.asString ?? "") {
            report(kind)
            return nil
        }
        let isBridge = kind?.scalar?.value == "bridge"
        let keys = Self.keys + (isBridge ? Self.bridgeKeys : Self.drainKeys)
        guard let section = Section.root(root, "a job", keys: keys, findings) else { return nil }
        _ = section.required("job")
        let isEnabled = section["enabled"].flatMap { findings.bool($0, "enabled") } ?? true
        // What is switched off may be an example, of streams that are not there.
        let streams = isEnabled ? streams : nil
        let work = isBridge ? bridge(section, streams).map(JobDefinition.Work.bridge) : .drain(drain(section, streams))
        guard findings.isEmpty else { return nil }
        return work.map { JobDefinition(name: name, isEnabled: isEnabled, work: $0) }
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

    private func report(_ kind: YAMLNode) {
        guard let text = findings.string(kind, "job") else { return }
        if Self.later.contains(text) {
            findings.report("job: \(text) is not supported yet", at: kind.place, .notSupportedYet)
        } else {
            findings.report(
                "unknown job \(quoted(text))", at: kind.place, .unknownName,
                suggestion: Suggestion.didYouMean(text, among: Self.kinds + Self.later) ?? "write job: drain"
            )
        }
    }
}
