import Events
import Models
import Values

/// Compiles model files.
public struct ModelReader {
    static let keys = ["model", "stream", "fold", "onError", "unknown", "ttl"] + documentKeys + ["source"]
    /// Keys of a model that the language has.
    static let later = ["merge", "lookup"]

    /// Compiles the text of a model file, from disk or as a build keeps it. Whether there is such a stream is not looked
    /// at. Throws everything that is wrong with the text.
    ///
    /// - Parameters:
    ///   - versions: what a build keeps of its stream's versions.
    ///   - file: where the text comes from, for the messages.
    public static func read(source: String, versions: String? = nil, file: String) throws(ConfigurationProblems) -> Model {
        let findings = Findings(file: file)
        var kept = StreamVersions()
        if let versions { kept = try VersionsReader.read(source: versions, file: "\(file), versions") }
        guard let reading = read(source, nil, findings, kept: kept), findings.isEmpty else { throw ConfigurationProblems(findings.problems) }
        return reading.model
    }

    /// A model with the places that matter to other files; it is only to be used when there are no findings.
    struct Reading {
        var model: Model
        var name: Place
        var stream: Place
        /// Of the source of truth, where there is one.
        var source: Place?
    }

    /// - Parameters:
    ///   - versions: of the streams' events.
    ///   - kept: of the events of the model's own stream, where they are known instead.
    static func read(_ text: String, _ versions: [String: StreamVersions]?, _ findings: Findings, kept: StreamVersions = StreamVersions()) -> Reading? {
        guard let root = YAMLReader.read(text, findings), Section.checkVersion(root, findings),
            let section = Section.root(root, "a model", keys: keys, later: later, findings)
        else { return nil }
        let (modelNode, streamNode) = (section.required("model"), section.required("stream"))
        let name = modelNode.flatMap { readName($0, findings) }
        let stream = streamNode.flatMap { findings.string($0, "stream") }
        var fold = section.required("fold").flatMap { readFold($0, findings) } ?? EffectFold([:])
        if let policy = section["onError"].flatMap({ readErrorPolicy($0, findings) }) { fold.errorPolicy = policy }
        if let node = section["ttl"] { fold.lifetime = findings.duration(node, "ttl", in: lifetimes) }
        readDocument(section, into: &fold, findings)
        if let node = section["unknown"] { fold.parksUnknown = readUnknown(node, fold, findings) ?? false }
        let privateFields = section["private"].map { readPrivate($0, findings) } ?? []
        let indexes = section["indexes"].map { IndexReader(findings: findings).read($0) } ?? []
        let reading = section["read"].map { readReading($0, findings) } ?? ReadSettings()
        let cache = section["cache"].flatMap { readCache($0, findings) }
        let truth = section["source"].flatMap { SourceReader(findings: findings).read($0, fold: section["fold"]) }
        guard let modelNode, let streamNode, let name, let stream else { return nil }
        // An upcast of events that the model ignores is no part of it.
        let all = versions?[stream] ?? kept
        let known = fold.others == nil ? all.only(fold.effects.keys) : all
        fold.versions = known.types
        let model = Model(
            name: name, stream: stream, fold: fold, privateFields: privateFields, indexes: indexes, reading: reading, cache: cache, truth: truth, source: text,
            versions: known.source,
            foldHash: FoldHash.hash(stream: stream, fold), stoppingHash: FoldHash.hash(stream: stream, fold, onError: .stop))
        let sourcePlace = section["source"]?.place
        return Reading(model: model, name: modelNode.place, stream: streamNode.place, source: sourcePlace)
    }

    /// A model's name is the name of a view, and begins those of its builds.
    private static func readName(_ node: YAMLNode, _ findings: Findings) -> String? {
        guard let name = findings.string(node, "model"), findings.check(name: name, "model", at: node.place) else { return nil }
        guard let reserved = ["millrace", "system"].first(where: name.hasPrefix) else { return name }
        findings.report(
            "model: \(quoted(name)) must not begin with \(reserved), as collections of \(reserved == "system" ? "MongoDB" : "Millrace") do",
            at: node.place)
        return nil
    }

    private static func readErrorPolicy(_ node: YAMLNode, _ findings: Findings) -> ErrorPolicy? {
        guard let text = findings.string(node, "onError") else { return nil }
        if let policy = ErrorPolicy(rawValue: text) { return policy }
        let known = ErrorPolicy.allCases.map(\.rawValue)
        findings.report(
            "onError: must be one of \(listed(known)), found \(quoted(text))", at: node.place, suggestion: Suggestion.didYouMean(text, among: known))
        return nil
    }

    /// From what a log's clock can tell apart to longer than anybody keeps a log.
    static let lifetimes = Duration.seconds(1)...Duration.seconds(36_500 * 86_400)

    /// What becomes of events whose type no effect names: whether they are parked.
    private static func readUnknown(_ node: YAMLNode, _ fold: EffectFold, _ findings: Findings) -> Bool? {
        guard let text = findings.string(node, "unknown") else { return nil }
        if text == "park", fold.others != nil {
            findings.report("unknown: park has no meaning beside \"*\", which takes every type", at: node.place)
        }
        if ["ignore", "park"].contains(text) { return text == "park" }
        findings.report(
            "unknown: must be ignore or park, found \(quoted(text))", at: node.place, suggestion: Suggestion.didYouMean(text, among: ["ignore", "park"]))
        return nil
    }

    private static func readFold(_ node: YAMLNode, _ findings: Findings) -> EffectFold? {
        guard let members = node.members, !members.isEmpty else {
            if !node.isInvalid {
                let found = node.members == nil ? node.found : "an empty map"
                findings.report("fold: must be a map of event types and effects, found \(found)", at: node.place)
            }
            return nil
        }
        var fold = EffectFold([:])
        for member in members where check(type: member, findings) {
            let effects = EffectReader(findings: findings).read(member.value, of: member.name) ?? []
            if member.name == "*" { fold.others = effects } else { fold.effects[ExactString(member.name)] = effects }
        }
        return fold
    }

    private static func check(type member: YAMLNode.Member, _ findings: Findings) -> Bool {
        if !Envelope.nameLength.contains(member.name.utf8.count) {
            let range = Envelope.nameLength
            findings.report("an event type has \(range.lowerBound) to \(range.upperBound) bytes, found \(member.name.utf8.count)", at: member.place)
        } else if member.name.hasPrefix("$") {
            Vocabulary.updateOperators.report(
                member.name, at: member.place, findings, suggestion: "an effect stands under the event type that it is for"
            )
        } else {
            return true
        }
        return false
    }
}
