import Values

/// `eventId`, `eventType`, `key`, and optionally `occurredAt`, `schemaVersion`, `data`.
enum NativeFormat {
    static func envelope(of root: JSONNode, _ shape: EventShape, _ source: KeySource) throws(Refusal) -> Envelope {
        var id: JSONNode?
        var type: JSONNode?
        var key: JSONNode?
        var occurredAt: JSONNode?
        // One pass: the length tells the four names apart, and most others at once.
        root.forEachMember { name, value in
            switch name.count {
            case 3 where name.isName("key"): key = value
            case 7 where name.isName("eventId"): id = value
            case 9 where name.isName("eventType"): type = value
            case 10 where name.isName("occurredAt"): occurredAt = value
            default: break
            }
        }
        return Envelope(
            id: .bytes(try Envelope.name(id, "eventId", .badEventId)),
            type: .bytes(try Envelope.name(type, "eventType", .badEventType)),
            key: try Envelope.key(key.map(EventMember.node), "key", root, shape, source),
            time: try Envelope.time(occurredAt, "occurredAt", shape.types)
        )
    }
}
