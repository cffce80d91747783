import Values

/// CloudEvents 1.0 in structured JSON (github.com/cloudevents/spec, "JSON Event Format").
///
/// An id is unique for its source only, so the event id is both: a URI reference holds no blank, and one between them keeps
/// them apart.
enum CloudEventsFormat {
    static func envelope(of root: JSONNode, _ shape: EventShape, _ source: KeySource) throws(Refusal) -> Envelope {
        guard let version = root.member("specversion") else {
            throw Refusal(.unknownVersion, "specversion is missing: this stream takes CloudEvents 1.0 in structured JSON")
        }
        guard version.string == "1.0" else { throw Refusal(.unknownVersion, "specversion must be \"1.0\"") }
        if root.member("data") != nil, root.member("data_base64") != nil {
            throw Refusal(.badValue, "data and data_base64 are both there, and an event has one of them")
        }
        if root.member("data_base64") != nil { _ = try member(.data, of: root) }
        return Envelope(
            id: .made(try id(of: root)),
            type: .bytes(try Envelope.name(root.member("type"), "type", .badEventType)),
            key: try Envelope.key(root.member("subject").map(EventMember.node), "subject", root, shape, source),
            time: try Envelope.time(root.member("time"), "time", shape.types)
        )
    }

    static func member(_ name: Event.MemberName, of root: JSONNode) throws(Refusal) -> EventMember? {
        switch name {
        case .eventId: return .value(.string(try id(of: root)))
        case .schemaVersion: return root.member("schemaversion").map(EventMember.node)
        case .data:
            if let node = root.member("data") { return .node(node) }
            guard let node = root.member("data_base64") else { return nil }
            guard node.kind == .string, let bytes = Base64.decode(node.utf8) else {
                throw Refusal(.badValue, "data_base64 must be a string of Base64 with padding (RFC 4648)")
            }
            return .value(.binary(bytes))
        default: return nil
        }
    }

    private static func id(of root: JSONNode) throws(Refusal) -> String {
        let source = try Envelope.name(root.member("source"), "source", .badEventId)
        guard !source.contains(UInt8(ascii: " ")) else {
            throw Refusal(.badEventId, "source must be a URI reference, which holds no blank")
        }
        let id = try Envelope.name(root.member("id"), "id", .badEventId)
        return String(decoding: source, as: UTF8.self) + " " + String(decoding: id, as: UTF8.self)
    }
}
