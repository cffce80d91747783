import Events
import Models
import Values

/// Reads the `streams:` of `millrace.yaml`.
struct StreamReader {
    let findings: Findings

    static let keys = ["list", "partitions", "format", "key", "keys", "outbox", "types", "dedupe", "chunk", "maxEventBytes", "log"] + StreamVersions.keys

    /// The streams, sorted by name, what they say of versions, and every name that the file gives.
    func read(_ node: YAMLNode) -> (streams: [StreamSettings], versions: [String: StreamVersions], names: Set<String>?) {
        guard let members = node.members, !members.isEmpty else {
            if !node.isInvalid {
                let found = node.members == nil ? node.found : "an empty map"
                findings.report(
                    "streams: must be a map with at least one stream, found \(found)", at: node.place,
                    suggestion: "such as product: { partitions: 1 }"
                )
            }
            return ([], [:], nil)
        }
        var streams: [StreamSettings] = []
        var versions: [String: StreamVersions] = [:]
        var places: [(stream: StreamSettings, place: Place)] = []
        for member in members where findings.check(name: member.name, "stream", at: member.place) {
            let stream = read(member, &versions)
            streams.append(stream)
            let list = member.value.members?.first { $0.name == "list" }?.value
            // A list that could not be read was reported, and its stream has the default one only for the time being.
            if list == nil || list?.scalar?.text == stream.list { places.append((stream, list?.place ?? member.place)) }
        }
        checkLists(places)
        return (streams.sorted { $0.name < $1.name }, versions, Set(members.map(\.name)))
    }

    private func read(_ member: YAMLNode.Member, _ versions: inout [String: StreamVersions]) -> StreamSettings {
        var stream = StreamSettings(name: member.name)
        // `product:` alone: every setting has a default.
        if member.value.scalar?.value == .null { return stream }
        guard let section = Section(member.value, "stream \(member.name)", keys: Self.keys, findings) else { return stream }
        if let node = section["list"] { stream.list = list(node, of: stream) ?? stream.list }
        if let node = section["partitions"] {
            stream.partitions = findings.integer(node, "partitions", in: StreamSettings.partitionRange) ?? stream.partitions
        }
        if let node = section["format"] { stream.shape.format = format(node, hasKey: section["key"] != nil) ?? stream.shape.format }
        if let node = section["types"] { stream.shape.types = types(node) ?? stream.shape.types }
        if let node = section["key"] { stream.key = key(node) ?? stream.key }
        tables(section, of: &stream)
        versions[member.name] = VersionsReader(findings: findings).read(section)
        if let node = section["dedupe"], let dedupe = Section(node, "dedupe:", keys: ["window", "events"], findings) {
            if let node = dedupe["window"] {
                stream.dedupeWindow = findings.duration(node, "window", in: StreamSettings.dedupeWindowRange) ?? stream.dedupeWindow
            }
            if let node = dedupe["events"] {
                stream.dedupeEvents = findings.integer(node, "events", in: StreamSettings.dedupeEventsRange) ?? stream.dedupeEvents
            }
        }
        if let node = section["chunk"], let chunk = Section(node, "chunk:", keys: ["events", "bytes"], findings) {
            if let node = chunk["events"] {
                stream.chunkEvents = findings.integer(node, "events", in: StreamSettings.chunkEventsRange) ?? stream.chunkEvents
            }
            if let node = chunk["bytes"] {
                stream.chunkBytes = findings.byteCount(node, "bytes", in: StreamSettings.chunkBytesRange) ?? stream.chunkBytes
            }
        }
        if let node = section["maxEventBytes"] {
            stream.maxEventBytes = findings.byteCount(node, "maxEventBytes", in: StreamSettings.maxEventBytesRange) ?? stream.maxEventBytes
        }
        if let node = section["log"], let log = Section(node, "log:", keys: ["retain"], findings), let node = log["retain"], node.scalar?.text != "forever" {
            stream.retain = findings.duration(node, "retain", in: StreamSettings.retainRange)
        }
        return stream
    }

    private func list(_ node: YAMLNode, of stream: StreamSettings) -> String? {
        let quote = "unquoted braces are a map: write list: \"events:{\(stream.name)}\""
        guard let list = findings.string(node, "list", suggestion: node.members == nil ? nil : quote) else { return nil }
        guard list.utf8.count <= 256, !list.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) else {
            findings.report("list: must have at most 256 bytes and no control characters", at: node.place)
            return nil
        }
        return list
    }

    /// `$data.flightId`
    func key(_ node: YAMLNode, _ setting: String = "key", such: String = "$data.flightId") -> KeySource? {
        guard let text = findings.string(node, setting) else { return nil }
        guard text.hasPrefix("$"), !text.hasPrefix("$$") else {
            let name = text.prefix { $0 != "." }
            let meant = Event.MemberName(rawValue: String(name)) != nil ? "did you mean \(quoted("$" + text))?" : "such as \(such)"
            findings.report("\(setting): must be a path into the event, found \(quoted(text))", at: node.place, suggestion: meant)
            return nil
        }
        guard case .event(let name, let path)? = ExpressionReader(findings: findings).path(text, at: node.place) else { return nil }
        return .path([name.rawValue] + path)
    }

    /// Keys beside a list: another stream's list under one of these names would be taken for them.
    private static let suffixes = ["", ":segment", ":segment:id", ":fence", ":cuts", ":oversize", ":owner"]

    private func checkLists(_ streams: [(stream: StreamSettings, place: Place)]) {
        var owners: [[UInt8]: String] = [:]
        for (stream, place) in streams {
            let keys = (0..<stream.partitions).flatMap { partition in Self.suffixes.map { stream.list(of: partition) + $0 } }
            if let taken = keys.first(where: { owners[Array($0.utf8)] != nil }), let other = owners[Array(taken.utf8)] {
                findings.report(
                    "list: stream \(stream.name) would use the key \(quoted(taken)) of Redis, which stream \(other) uses already", at: place,
                    suggestion: "give each stream a list of its own"
                )
                continue
            }
            for key in keys { owners[Array(key.utf8)] = stream.name }
        }
    }
}
