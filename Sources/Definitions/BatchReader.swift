import Projector
import Values

/// Reads what jobs say that go through the log or the documents of models: which ones, and how.
struct BatchReader {
    static let reconcileKeys = ["models", "truth", "repair", "sample", "maxChange", "throttle", "alertAbove"]
    static let snapshotKeys = ["models", "keep", "at"]
    static let rebuildKeys = ["models", "keep", "throttle", "fromSource"]
    static let pruneKeys = ["streams", "acceptNoRebuild", "fromSource"]

    let findings: Findings
    /// The models that there are; nil when they are not known, and then they are not looked for.
    let models: Set<String>?
    /// The streams, likewise.
    let streams: Set<String>?

    /// The work of a kind of job, or nil when something is wrong with it.
    func read(_ kind: String, _ section: Section) -> JobDefinition.Work? {
        switch kind {
        case "reconcile": .reconcile(reconcile(section))
        case "snapshot": .snapshot(snapshot(section))
        case "prune": prune(section).map(JobDefinition.Work.prune)
        default: rebuild(section).map(JobDefinition.Work.rebuild)
        }
    }

    private func reconcile(_ section: Section) -> JobDefinition.Reconcile {
        var reconcile = JobDefinition.Reconcile()
        reconcile.models = names(section["models"]) ?? []
        if let node = section["truth"] { reconcile.truth = truth(node) }
        if let node = section["repair"] { reconcile.isRepair = findings.bool(node, "repair") ?? false }
        if let node = section["sample"] { reconcile.sample = sample(node) ?? 1 }
        if let node = section["maxChange"] { reconcile.maxChange = findings.integer(node, "maxChange", in: JobDefinition.countRange) }
        if let node = section["throttle"] { reconcile.throttle = findings.integer(node, "throttle", in: JobDefinition.rateRange) }
        if let node = section["alertAbove"] {
            reconcile.alertAbove = findings.integer(node, "alertAbove", in: JobDefinition.countRange) ?? reconcile.alertAbove
        }
        return reconcile
    }

    private func snapshot(_ section: Section) -> JobDefinition.Snapshot {
        var snapshot = JobDefinition.Snapshot()
        snapshot.models = names(section["models"]) ?? []
        if let node = section["keep"] { snapshot.keep = findings.integer(node, "keep", in: JobDefinition.keptSnapshotsRange) ?? snapshot.keep }
        if let node = section["at"] { snapshot.moment = findings.choice(node, "at") ?? snapshot.moment }
        return snapshot
    }

    private func rebuild(_ section: Section) -> JobDefinition.Rebuild? {
        guard let names = section.required("models").flatMap({ names($0) }) else { return nil }
        var rebuild = JobDefinition.Rebuild(models: names)
        if let node = section["keep"] { rebuild.keep = findings.duration(node, "keep", in: JobDefinition.keptBuildRange) ?? rebuild.keep }
        if let node = section["throttle"] { rebuild.throttle = findings.integer(node, "throttle", in: JobDefinition.rateRange) }
        if let node = section["fromSource"] { rebuild.isFromSource = findings.bool(node, "fromSource") ?? false }
        return rebuild
    }

    /// What goes is gone: a file has to say, as a person would, that nobody needs to build from it.
    private func prune(_ section: Section) -> JobDefinition.Prune? {
        var prune = JobDefinition.Prune()
        if let node = section["streams"] { prune.streams = findings.names(node, "streams", "stream", known: streams) ?? [] }
        // What is neither true nor false is reported as that.
        let isAccepted = section["acceptNoRebuild"].map { findings.bool($0, "acceptNoRebuild") ?? true } ?? false
        prune.isFromSource = section["fromSource"].map { findings.bool($0, "fromSource") ?? true } ?? false
        guard isAccepted || prune.isFromSource else {
            findings.report(
                "acceptNoRebuild: true or fromSource: true is missing: models cannot be built anew from what is removed", at: section.place,
                suggestion: "say fromSource: true where every model can be loaded from elsewhere")
            return nil
        }
        return prune
    }

    private func names(_ node: YAMLNode?) -> [String]? { node.flatMap { findings.names($0, "models", "model", known: models) } }

    private func truth(_ node: YAMLNode) -> Drift.Truth? {
        guard let text = findings.string(node, "truth") else { return nil }
        if let truth = Drift.Truth(rawValue: text) { return truth }
        let known = Drift.Truth.allCases.map(\.rawValue)
        findings.report(
            "truth: must be \(known.joined(separator: " or ")), found \(quoted(text))", at: node.place, suggestion: Suggestion.didYouMean(text, among: known))
        return nil
    }

    private func sample(_ node: YAMLNode) -> Double? {
        guard let text = findings.string(node, "sample", suggestion: "write a part such as 5%") else { return nil }
        if let part = Units.part(text) { return part }
        findings.report("sample: must be more than 0% and 100% at most, found \(text)", at: node.place, suggestion: "write a part such as 5%")
        return nil
    }
}
