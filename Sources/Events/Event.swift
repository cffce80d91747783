import Values

/// An event as the fold reads it. It points into a tape, and must not outlive it.
public struct Event {
    public var type: String
    public var key: String
    /// Milliseconds since 1970; nil when the event does not say.
    public var time: Int64?
    public var root: JSONNode
    /// How it was read when it was logged.
    public var shape: EventShape
    /// What upcasts have made of `data` and `schemaVersion`.
    public var replaced: Document?

    public init(type: String, key: String, time: Int64?, root: JSONNode, shape: EventShape = .plain) {
        self.type = type
        self.key = key
        self.time = time
        self.root = root
        self.shape = shape
    }

    /// The names that `$name` may begin with. `element` is the whole element as it was pushed.
    public static let members = ["eventId", "eventType", "key", "occurredAt", "schemaVersion", "data", "before", "after", "row", "op", "element"]

    /// The value at `$name.path…`, or nil when it is missing. `name` is one of `members`.
    public func value(_ name: String, _ path: ArraySlice<String>) -> Value? {
        switch name {
        case "eventType": return path.isEmpty ? .string(type) : nil
        case "key": return path.isEmpty ? .string(key) : nil
        case "occurredAt": return path.isEmpty ? time.map(Value.date) : nil
        case "data" where replaced != nil, "schemaVersion" where replaced != nil: return replaced?[name]?.resolve(path)
        default:
            // It was checked when it was logged.
            return (try? shape.member(name, of: root))?.resolve(path)
        }
    }
}
