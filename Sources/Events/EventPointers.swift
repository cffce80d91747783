import Values

/// A format that says for each member of an event where it is in the element.
public struct EventPointers: Hashable, Sendable {
    public var eventId: JSONPointer
    public var eventType: JSONPointer
    /// nil when the stream's `key:` says where it is.
    public var key: JSONPointer?
    public var occurredAt: JSONPointer?
    public var schemaVersion: JSONPointer?
    public var data: JSONPointer?

    public init(eventId: JSONPointer, eventType: JSONPointer) {
        self.eventId = eventId
        self.eventType = eventType
    }

    func envelope(of root: JSONNode, _ shape: EventShape, _ source: KeySource) throws(Refusal) -> Envelope {
        Envelope(
            id: .bytes(try Envelope.name(eventId.find(in: root), eventId.description, .badEventId)),
            type: .bytes(try Envelope.name(eventType.find(in: root), eventType.description, .badEventType)),
            key: try Envelope.key(key?.find(in: root).map(EventMember.node), key?.description ?? "the key", root, shape, source),
            time: try Envelope.time(occurredAt?.find(in: root), occurredAt?.description ?? "", shape.types)
        )
    }

    func member(_ name: Event.MemberName, of root: JSONNode) -> EventMember? {
        let pointer: JSONPointer? =
            switch name {
            case .eventId: eventId
            case .schemaVersion: schemaVersion
            case .data: data
            default: nil
            }
        return pointer?.find(in: root).map(EventMember.node)
    }
}

/// A place in a JSON text (RFC 6901).
public struct JSONPointer: Hashable, Sendable, CustomStringConvertible {
    public let description: String
    /// The names and indexes on the way, unescaped.
    let tokens: [String]

    /// nil when the text is no pointer: one is empty, for the whole text, or begins with `/`; `~` is written `~0` and `/` `~1`.
    public init?(_ text: String) {
        var bytes: [[UInt8]] = []
        var rest = Array(text.utf8)[...]
        guard rest.isEmpty || rest.first == UInt8(ascii: "/") else { return nil }
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "/"): bytes.append([])
            case UInt8(ascii: "~"):
                switch rest.popFirst() {
                case UInt8(ascii: "0"): bytes[bytes.count - 1].append(UInt8(ascii: "~"))
                case UInt8(ascii: "1"): bytes[bytes.count - 1].append(UInt8(ascii: "/"))
                default: return nil
                }
            default: bytes[bytes.count - 1].append(byte)
            }
        }
        description = text
        tokens = bytes.map { String(decoding: $0, as: UTF8.self) }
    }

    func find(in root: JSONNode) -> JSONNode? {
        tokens.reduce(root) { node, token in
            guard let node else { return nil }
            guard node.kind == .array else { return node.member(token) }
            // An index is written without leading zeros, and without a sign.
            return Int(token).flatMap { String($0) == token ? node.element($0) : nil }
        }
    }
}
