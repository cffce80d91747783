import Events
import Models
import Values

/// What a stream says of the versions of its events' schemas, by event type.
struct StreamVersions {
    var types: [ExactString: Versions] = [:]
    /// As it is written.
    var upcasts = Document()
    var versions = Document()

    static let keys = ["upcast", "schemaVersions"]

    /// Only those of some types.
    func only(_ names: some Collection<ExactString>) -> StreamVersions {
        func only(_ document: Document) -> Document { Document(document.fields.filter { names.contains(ExactString($0.name)) }) }
        return StreamVersions(types: types.filter { names.contains($0.key) }, upcasts: only(upcasts), versions: only(versions))
    }

    /// What a build keeps of it; nil where it says nothing. JSON, which is read as the YAML it came from.
    var source: String? {
        let parts = zip(Self.keys, [upcasts, versions]).filter { !$0.1.isEmpty }
        return parts.isEmpty ? nil : JSON.write(.document(Document(parts.map { Document.Field($0, .document($1)) })))
    }
}

/// Reads `upcast:` and `schemaVersions:` of a stream.
struct VersionsReader {
    let findings: Findings

    private static let operators = ["$set", "$unset", "$rename"]
    private static let conditions = ["let", "when", "arrayFilters"]

    /// - Parameter file: where the text comes from, for the messages.
    static func read(source: String, file: String) throws(ConfigurationProblems) -> StreamVersions {
        let findings = Findings(file: file)
        guard let root = YAMLReader.read(source, findings), let section = Section(root, "versions", keys: StreamVersions.keys, findings) else {
            throw ConfigurationProblems(findings.problems)
        }
        let versions = VersionsReader(findings: findings).read(section)
        guard findings.isEmpty else { throw ConfigurationProblems(findings.problems) }
        return versions
    }

    func read(_ section: Section) -> StreamVersions {
        var read = StreamVersions()
        var stated: [String: (version: Int, place: Place)] = [:]
        for member in members(section["schemaVersions"], "schemaVersions: must be a map of event types and versions") {
            guard let version = findings.integer(member.value, member.name, in: 1...Int(Int32.max)) else { continue }
            stated[member.name] = (version, member.value.place)
            read.types[ExactString(member.name)] = Versions(current: version)
            read.versions.append(member.name, .int32(Int32(version)))
        }
        for member in members(section["upcast"], "upcast: must be a map of event types and versions") {
            let expected = "an upcast must be a map of schema versions and what makes the next of each"
            var steps: [Int: Effect] = [:]
            for step in members(member.value, expected) {
                guard let version = Int(step.name), version >= 1, String(version) == step.name else {
                    findings.report("\(quoted(step.name)) is no schema version", at: step.place, suggestion: "write the version that events have, such as 1")
                    continue
                }
                if let effect = effect(step.value) { steps[version] = effect }
            }
            guard let oldest = steps.keys.min(), let newest = steps.keys.max() else { continue }
            if let gap = (oldest...newest).first(where: { steps[$0] == nil }) {
                findings.report("\(member.name) has no upcast from version \(gap) to \(gap + 1)", at: member.place)
            }
            if let other = stated[member.name], other.version != newest + 1 {
                findings.report(
                    "schemaVersions: says that \(member.name) is at version \(other.version), and its upcasts make version \(newest + 1)", at: other.place,
                    suggestion: "leave it out: the upcasts say it")
            }
            read.types[ExactString(member.name)] = Versions(current: newest + 1, upcasts: steps)
            if let source = ExpressionReader(findings: findings).literal(member.value) { read.upcasts.append(member.name, source) }
        }
        return read
    }

    private func members(_ node: YAMLNode?, _ expected: String) -> [YAMLNode.Member] {
        guard let node, !node.isInvalid else { return [] }
        guard let members = node.members, !members.isEmpty else {
            findings.report("\(expected), found \(node.members == nil ? node.found : "an empty map")", at: node.place)
            return []
        }
        return members
    }

    /// An update of `data`, in the words of a model's effects.
    private func effect(_ node: YAMLNode) -> Effect? {
        guard let members = node.members else {
            if !node.isInvalid {
                findings.report("an upcast must be a map of $set, $unset and $rename, found \(node.found)", at: node.place)
            }
            return nil
        }
        for member in members where !(Self.operators + Self.conditions).contains(member.name) {
            findings.report(
                "\(member.name) has no place in an upcast", at: member.place, suggestion: "it changes $data by \(listed(Self.operators))")
            return nil
        }
        guard let effect = EffectReader(findings: findings).read(node, of: "upcast")?.first else { return nil }
        for op in effect.operators {
            for path in op.sources + [op.path] where path.names.first != "data" {
                findings.report(
                    "the path \(quoted(path.description)) does not begin with data, which is all that an upcast changes", at: node.place,
                    suggestion: "did you mean \(quoted("data.\(path)"))?")
                return nil
            }
        }
        guard !effect.readsDocument else {
            findings.report("an upcast reads the event alone, and this reads $$doc", at: node.place)
            return nil
        }
        return effect
    }
}
