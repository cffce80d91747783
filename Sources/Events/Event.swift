import Values

/// An event as the fold reads it. It points into a tape, and must not outlive it.
///
/// A class, because an effect's expressions hand it about: a reference is counted once, a structure's parts one by one.
public final class Event {
    public let type: ExactString
    public let key: String
    /// Milliseconds since 1970; nil when the event does not say.
    public let time: Int64?
    public let root: JSONNode
    /// How it was read when it was logged.
    public let shape: EventShape
    /// What upcasts have made of `data` and `schemaVersion`.
    private let replaced: Document?
    /// Members that the format makes of several parts of the element, once they have been asked for.
    private var made: [MemberName: EventMember?] = [:]

    public init(type: ExactString, key: String, time: Int64?, root: JSONNode, shape: EventShape = .plain, replaced: Document? = nil) {
        self.type = type
        self.key = key
        self.time = time
        self.root = root
        self.shape = shape
        self.replaced = replaced
    }

    /// The event with other `data` and another `schemaVersion`.
    public func replacing(_ members: Document) -> Event {
        Event(type: type, key: key, time: time, root: root, shape: shape, replaced: members)
    }

    /// What `$name` may begin with.
    public enum MemberName: String, Hashable, Sendable, CaseIterable {
        case eventId, eventType, key, occurredAt, schemaVersion, data, before, after, row, op
        /// The whole element as it was pushed.
        case element

        public static let all = allCases.map(\.rawValue)
    }

    /// The value at `$name.path…`, or nil when it is missing.
    public func value(_ name: MemberName, _ path: ArraySlice<String>) -> Value? {
        switch name {
        case .eventType: return path.isEmpty ? .string(type.text) : nil
        case .key: return path.isEmpty ? .string(key) : nil
        case .occurredAt: return path.isEmpty ? time.map(Value.date) : nil
        case .data where replaced != nil, .schemaVersion where replaced != nil: return replaced?[name.rawValue]?.resolve(path)
        default: return member(name)?.resolve(path)
        }
    }

    private func member(_ name: MemberName) -> EventMember? {
        // What went wrong here was refused when it was logged.
        if shape.isPlain { return try? shape.member(name, of: root) }
        if let known = made[name] { return known }
        let member = try? shape.member(name, of: root)
        made[name] = .some(member)
        return member
    }
}
