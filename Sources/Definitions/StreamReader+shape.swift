import Events
import Values

// How a stream's elements are read: `format:` and `types:`.
extension StreamReader {
    static let formats: [(name: String, format: EventFormat)] = [
        ("native", .native), ("cloudevents", .cloudEvents), ("debezium", .debezium(DebeziumFormat())),
    ]

    /// Members that a map of JSON pointers may name.
    static let pointerNames = ["eventId", "eventType", "key", "occurredAt", "schemaVersion", "data"]

    /// - Parameter hasKey: whether the stream says where the key is.
    func format(_ node: YAMLNode, hasKey: Bool) -> EventFormat? {
        if node.isInvalid { return nil }
        if node.members != nil { return pointers(node, hasKey: hasKey).map(EventFormat.pointers) }
        let names = Self.formats.map(\.name)
        guard let text = node.scalar?.value.asString else {
            findings.report("format: must be \(names.joined(separator: ", ")) or a map of JSON pointers, found \(node.found)", at: node.place)
            return nil
        }
        if let known = Self.formats.first(where: { $0.name == text }) { return known.format }
        findings.report(
            "unknown format \(quoted(text))", at: node.place, .unknownName,
            suggestion: Suggestion.didYouMean(text, among: names) ?? "there is \(listed(names)), or a map of JSON pointers"
        )
        return nil
    }

    private func pointers(_ node: YAMLNode, hasKey: Bool) -> EventPointers? {
        guard let section = Section(node, "format:", keys: Self.pointerNames, findings) else { return nil }
        func pointer(_ name: String, isRequired: Bool = false) -> JSONPointer? {
            guard let node = isRequired ? section.required(name) : section[name], !node.isInvalid else { return nil }
            // The empty pointer is the whole element, so that an empty text is one here.
            guard let text = node.scalar?.value.asString, let pointer = JSONPointer(text) else {
                findings.report("\(name): \(node.found) is no JSON pointer", at: node.place, suggestion: "such as /meta/id")
                return nil
            }
            return pointer
        }
        let (id, type) = (pointer("eventId", isRequired: true), pointer("eventType", isRequired: true))
        let (key, time) = (pointer("key", isRequired: !hasKey), pointer("occurredAt"))
        let (version, payload) = (pointer("schemaVersion"), pointer("data"))
        guard let id, let type else { return nil }
        var pointers = EventPointers(eventId: id, eventType: type)
        pointers.key = key
        pointers.occurredAt = time
        pointers.schemaVersion = version
        pointers.data = payload
        return pointers
    }

    /// What only streams of row events have: `keys: { products: $row.id }` and `outbox: TABLE`.
    func tables(_ section: Section, of stream: inout StreamSettings) {
        for name in ["keys", "outbox"] {
            guard let node = section[name] else { continue }
            guard case .debezium = stream.shape.format else {
                findings.report("\(name): needs format: debezium", at: node.place)
                continue
            }
            if name == "outbox" {
                stream.shape.format = .debezium(DebeziumFormat(outbox: findings.string(node, name)))
            } else if section["key"] != nil {
                findings.report("keys: and key: exclude each other", at: node.place)
            } else if let paths = keys(node) {
                stream.key = .tables(paths)
            }
        }
    }

    private func keys(_ node: YAMLNode) -> [String: [String]]? {
        if node.isInvalid { return nil }
        guard let members = node.members else {
            findings.report("keys: must be a map of tables and paths, found \(node.found)", at: node.place, suggestion: "such as { products: $row.id }")
            return nil
        }
        var paths: [String: [String]] = [:]
        for member in members {
            guard case .path(let path)? = key(member.value, "keys", such: "$row.id") else { continue }
            paths[member.name] = path
        }
        return paths
    }

    /// `{ data.at: date, data.amount: decimal, row.created: epochMicros, occurredAt: epochMillis }`
    func types(_ node: YAMLNode) -> TypeTree? {
        if node.isInvalid { return nil }
        guard let members = node.members else {
            findings.report("types: must be a map of paths and types, found \(node.found)", at: node.place)
            return nil
        }
        let names = ValueType.allCases.map(\.rawValue)
        let vocabulary = Vocabulary(kind: "type", supported: names)
        var tree = TypeTree()
        for member in members {
            guard let path = typedPath(member) else { continue }
            guard let name = findings.string(member.value, member.name) else { continue }
            guard let type = ValueType(rawValue: name) else {
                vocabulary.report(name, at: member.value.place, findings)
                continue
            }
            guard type != .decimal || path != ["occurredAt"] else {
                findings.report("occurredAt is a time, and no decimal", at: member.value.place)
                continue
            }
            if !tree.insert(type, at: path[...]) {
                findings.report("\(quoted(member.name)) leads into a value that has a type, or to one in which something has", at: member.place)
            }
        }
        return tree
    }

    private func typedPath(_ member: YAMLNode.Member) -> [String]? {
        let path = member.name.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard !path.contains("") else {
            findings.report("the path \(quoted(member.name)) has an empty part", at: member.place)
            return nil
        }
        if path == ["occurredAt"] || (["data", "row"].contains(path.first) && path.count > 1) { return path }
        findings.report(
            "\(quoted(member.name)) is no path into $data or $row, and not occurredAt", at: member.place,
            suggestion: "did you mean \(quoted("data." + member.name))?"
        )
        return nil
    }
}
