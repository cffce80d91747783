import Values

/// An event as a producer writes it.
public struct EventText: Sendable {
    public var id: String
    public var type: String
    public var key: Value
    public var data: Value
    public var occurredAt: String?

    public init(_ id: String, _ type: String = "changed", key: Value = "k", data: Value = [:], occurredAt: String? = nil) {
        self.id = id
        self.type = type
        self.key = key
        self.data = data
        self.occurredAt = occurredAt
    }

    public var json: String {
        var event: Document = ["eventId": .string(id), "eventType": .string(type), "key": key]
        if let occurredAt { event.append("occurredAt", .string(occurredAt)) }
        event.append("data", data)
        return JSON.write(.document(event))
    }
}
