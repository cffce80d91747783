import Events
import Models
import Values

/// Reads `source:`, the source of truth of a model.
struct SourceReader {
    static let keys = origins + ["event", "settle"]
    static let origins = ["command", "collection", "file"]
    static let collectionKeys = ["database", "name", "pipeline"]
    static let eventKeys = ["type", "key", "occurredAt", "schemaVersion", "data"]
    /// From what a test can wait for to a day.
    static let settleRange = Duration.milliseconds(100)...Duration.seconds(86_400)
    /// What may not be done twice, and why a correction may not do it: whoever pushes it can be killed before he knows that he has.
    static let unrepeatable: Set = ["$inc", "$mul", "$push", "$pop"]

    let findings: Findings

    /// - Parameter fold: the model's `fold:`.
    func read(_ node: YAMLNode, fold: YAMLNode?) -> SourceOfTruth? {
        guard let section = Section(node, "source:", keys: Self.keys, findings) else { return nil }
        let mapping = section.required("event").flatMap { event($0, fold) }
        let settle = section["settle"].map { findings.duration($0, "settle", in: Self.settleRange) }
        let named = Self.origins.filter { section[$0] != nil }
        guard named.count == 1, let name = named.first, let value = section[name] else {
            // One that is written wrongly is reported already.
            if named.isEmpty, node.members?.contains(where: { !Self.keys.contains($0.name) }) ?? false { return nil }
            findings.report(
                "source: takes one of \(listed(Self.origins)), found \(named.isEmpty ? "none" : listed(named))", at: node.place,
                suggestion: named.isEmpty ? "such as command: [ ./products, --all ]" : nil)
            return nil
        }
        guard let origin = origin(name, value), let mapping else { return nil }
        var source = SourceOfTruth(origin, mapping)
        if let settle { source.settle = settle ?? source.settle }
        return source
    }

    private func origin(_ name: String, _ node: YAMLNode) -> SourceOfTruth.Origin? {
        switch name {
        case "command": findings.words(node, "command").map(SourceOfTruth.Origin.command)
        case "file": findings.string(node, "file").map(SourceOfTruth.Origin.file)
        default: collection(node).map(SourceOfTruth.Origin.collection)
        }
    }

    private func collection(_ node: YAMLNode) -> SourceOfTruth.Collection? {
        if node.scalar != nil { return findings.string(node, "collection").map { SourceOfTruth.Collection(name: $0) } }
        guard let section = Section(node, "collection:", keys: Self.collectionKeys, findings) else { return nil }
        let database = section["database"].map { findings.string($0, "database") }
        let pipeline = section["pipeline"].map(pipeline)
        guard let name = section.required("name").flatMap({ findings.string($0, "name") }) else { return nil }
        return SourceOfTruth.Collection(database: database ?? nil, name: name, pipeline: (pipeline ?? []) ?? [])
    }

    /// Stages as MongoDB takes them: what they mean it says itself.
    private func pipeline(_ node: YAMLNode) -> [Value]? {
        guard let stages = node.elements, stages.allSatisfy({ $0.members?.count == 1 || $0.isInvalid }) else {
            if !node.isInvalid {
                findings.report(
                    "pipeline: must be a list of stages, found \(node.found)", at: node.place, suggestion: "such as [ { $match: { active: true } } ]")
            }
            return nil
        }
        for stage in stages.compactMap({ $0.members?.first }) where ["$out", "$merge"].contains(stage.name) {
            findings.report("pipeline: \(stage.name) is refused: it writes", at: stage.place)
        }
        return stages.compactMap(ExpressionReader(findings: findings).literal)
    }

    private func event(_ node: YAMLNode, _ fold: YAMLNode?) -> RowMapping? {
        guard let section = Section(node, "event:", keys: Self.eventKeys, findings) else { return nil }
        let (typeNode, keyNode) = (section.required("type"), section.required("key"))
        let (type, key) = (typeNode.flatMap(expression), keyNode.flatMap(expression))
        let (time, version, payload) = (section["occurredAt"].map(expression), section["schemaVersion"].map(expression), section["data"].map(expression))
        guard let typeNode, let type, let key else { return nil }
        checkEffects(of: type, at: typeNode.place, fold)
        return RowMapping(type: type, key: key, occurredAt: time ?? nil, schemaVersion: version ?? nil, data: payload ?? nil)
    }

    /// One that reads the row and nothing else.
    private func expression(_ node: YAMLNode) -> Expression? {
        guard let expression = ExpressionReader(findings: findings).read(node) else { return nil }
        for path in expression.paths {
            switch path {
            case .event(.row, _), .variable: continue
            case .event(let name, _): report("$\(name.rawValue)", at: node.place)
            default: report("$$doc", at: node.place)
            }
            return nil
        }
        return expression
    }

    private func report(_ name: String, at place: Place) {
        findings.report("event: reads \(name), and there is only the row", at: place, suggestion: "such as $row.id")
    }

    /// A correction may take effect twice, and what it does must then be the same.
    private func checkEffects(of type: Expression, at place: Place, _ fold: YAMLNode?) {
        guard let members = fold?.members else { return }
        var wanted = members
        if let name = type.literal {
            wanted = members.filter { $0.name == name.asString }
            if wanted.isEmpty { wanted = members.filter { $0.name == "*" } }
            guard !wanted.isEmpty else {
                let text = name.asString ?? JSON.write(name)
                findings.report(
                    "event: the fold has no effect for \(quoted(text))", at: place, .unknownName,
                    suggestion: Suggestion.didYouMean(text, among: members.map(\.name)))
                return
            }
        }
        for member in wanted {
            for effect in member.value.elements ?? [member.value] {
                for op in effect.members ?? [] where isUnrepeatable(op) {
                    findings.report(
                        "\(op.name) is not repeatable, and events of type \(quoted(member.name)) come from the source of truth at \(place), "
                            + "where one may count twice", at: op.place,
                        suggestion: "let the source make events that $set what it says")
                }
            }
        }
    }

    private func isUnrepeatable(_ op: YAMLNode.Member) -> Bool {
        if op.name == "$bit" { return op.value.members?.contains { $0.value.members?.contains { $0.name == BitOperation.xor.rawValue } ?? false } ?? false }
        return Self.unrepeatable.contains(op.name)
    }
}

extension Findings {
    /// A program and its arguments.
    func words(_ node: YAMLNode, _ name: String) -> [String]? {
        guard let elements = node.elements, !elements.isEmpty else {
            if !node.isInvalid {
                report(
                    "\(name): must be a list of a program and its arguments, found \(node.elements == nil ? node.found : "an empty list")", at: node.place,
                    suggestion: "write \(name): [ sh, -c, \"…\" ] for a line of the shell")
            }
            return nil
        }
        let words = elements.compactMap { string($0, name) }
        return words.count == elements.count ? words : nil
    }
}
