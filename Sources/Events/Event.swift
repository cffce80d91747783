import Values

/// An event as the fold reads it. It points into a tape, and must not outlive it.
public struct Event {
    public var type: String
    public var key: String
    /// Milliseconds since 1970; nil when the event does not say.
    public var time: Int64?
    public var root: JSONNode

    public init(type: String, key: String, time: Int64?, root: JSONNode) {
        self.type = type
        self.key = key
        self.time = time
        self.root = root
    }

    /// The names that `$name` may begin with.
    public static let members = ["eventId", "eventType", "key", "occurredAt", "schemaVersion", "data"]

    /// The value at `$name.path…`, or nil when it is missing. `name` is one of `members`.
    public func value(_ name: String, _ path: ArraySlice<String>) -> Value? {
        switch name {
        case "eventType": return path.isEmpty ? .string(type) : nil
        case "key": return path.isEmpty ? .string(key) : nil
        case "occurredAt": return path.isEmpty ? time.map(Value.date) : nil
        default:
            guard let node = root.member(name) else { return nil }
            return Event.resolve(node, path)
        }
    }

    /// Follows a path as an aggregation expression does: a name applied to an array is applied to each element that
    /// is an object, and what lacks it is left out.
    private static func resolve(_ node: JSONNode, _ path: ArraySlice<String>) -> Value? {
        guard let name = path.first else { return node.value }
        switch node.kind {
        case .object: return node.member(name).flatMap { resolve($0, path.dropFirst()) }
        case .array: return .array(node.elements.compactMap { $0.kind == .object ? resolve($0, path) : nil })
        default: return nil
        }
    }
}
