import Events
import Values

/// Reads one file of `jobs/`.
struct JobReader {
    /// Kinds of job that the design has.
    static let later = ["reconcile", "rebuild", "snapshot", "prune", "bridge", "command"]

    /// The job, or nil when something is wrong with it. `streams` is nil when they are not known, and then they are not
    /// looked for.
    static func read(_ source: String, name: String, streams: Set<String>?, _ findings: Findings) -> JobDefinition? {
        guard findings.check(name: name, "job", at: nil), let root = YAMLReader.read(source, findings), Section.checkVersion(root, findings) else {
            return nil
        }
        // What else a job of another kind may say is not known here.
        if let kind = root.members?.first(where: { $0.name == "job" })?.value, kind.scalar?.value != "drain" {
            report(kind, findings)
            return nil
        }
        guard let section = Section.root(root, "a job", keys: ["job", "streams", "poll", "every"], findings) else { return nil }
        _ = section.required("job")
        var drain = JobDefinition.Drain(streams: streams?.sorted() ?? [])
        if let node = section["streams"] { drain.streams = findings.names(node, "streams", "stream", known: streams)?.sorted() ?? [] }
        if let node = section["poll"] { drain.poll = findings.duration(node, "poll", in: JobDefinition.pollRange) ?? drain.poll }
        if let node = section["every"] { drain.every = findings.duration(node, "every", in: JobDefinition.everyRange) ?? drain.every }
        return findings.isEmpty ? JobDefinition(name: name, work: .drain(drain)) : nil
    }

    private static func report(_ kind: YAMLNode, _ findings: Findings) {
        guard let text = findings.string(kind, "job") else { return }
        if later.contains(text) {
            findings.report("job: \(text) is not supported yet", at: kind.place, .notSupportedYet)
        } else {
            findings.report(
                "unknown job \(quoted(text))", at: kind.place, .unknownName,
                suggestion: Suggestion.didYouMean(text, among: ["drain"] + later) ?? "write job: drain"
            )
        }
    }
}
