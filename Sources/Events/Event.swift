import Values

/// An event as the fold reads it. It points into a tape, and must not outlive it.
public struct Event {
    public let type: ExactString
    public let key: String
    /// Milliseconds since 1970; nil when the event does not say.
    public let time: Int64?
    public let root: JSONNode
    /// nil where each member is a node of the element.
    private let made: MadeMembers?

    public init(type: ExactString, key: String, time: Int64?, root: JSONNode, shape: EventShape = .plain) {
        self.init(type: type, key: key, time: time, root: root, made: shape.isPlain ? nil : MadeMembers(shape))
    }

    private init(type: ExactString, key: String, time: Int64?, root: JSONNode, made: MadeMembers?) {
        self.type = type
        self.key = key
        self.time = time
        self.root = root
        self.made = made
    }

    /// The event with other `data` and another `schemaVersion`.
    public func replacing(_ members: Document) -> Event {
        Event(type: type, key: key, time: time, root: root, made: MadeMembers(made?.shape ?? .plain, replaced: members))
    }

    /// What `$name` may begin with.
    public enum MemberName: String, Hashable, Sendable, CaseIterable {
        case eventId, eventType, key, occurredAt, schemaVersion, data, before, after, row, op
        /// The whole element as it was pushed.
        case element

        public static let all = allCases.map(\.rawValue)
    }

    /// The value at `$name.path…`, or nil when it is missing.
    public func value(_ name: MemberName, _ path: [String]) -> Value? {
        switch name {
        case .eventType: return path.isEmpty ? .string(type.text) : nil
        case .key: return path.isEmpty ? .string(key) : nil
        case .occurredAt: return path.isEmpty ? time.map(Value.date) : nil
        default:
            guard let made else { return name == .element ? root.resolve(path) : root.member(name.rawValue)?.resolve(path) }
            return made.member(name, of: root)?.resolve(path)
        }
    }
}

/// Members that a format makes of parts of the element, and what upcasts have made of others.
private final class MadeMembers {
    /// How the event was read when it was logged.
    let shape: EventShape
    /// `data` and `schemaVersion`, where upcasts have made them.
    private let replaced: Document?
    /// Those that have been asked for.
    private var known: [Event.MemberName: EventMember?] = [:]

    init(_ shape: EventShape, replaced: Document? = nil) {
        self.shape = shape
        self.replaced = replaced
    }

    func member(_ name: Event.MemberName, of root: JSONNode) -> EventMember? {
        if let replaced, name == .data || name == .schemaVersion { return replaced[name.rawValue].map(EventMember.value) }
        if let known = known[name] { return known }
        // What went wrong here was refused when it was logged.
        let member = try? shape.member(name, of: root)
        known[name] = .some(member)
        return member
    }
}
