import Values

/// How the elements of a stream are read: the format of their envelope, and the types of values that JSON cannot write.
///
/// It is stored with each chunk, because what was decided when an element was logged stays: a stream whose settings
/// change reads older elements as before.
public struct EventShape: Hashable, Sendable {
    public var format: EventFormat
    public var types: TypeTree

    public init(format: EventFormat = .native, types: TypeTree = TypeTree()) {
        self.format = format
        self.types = types
    }

    /// Chunks of this shape need no word about it, and are read by every version of Millrace.
    public static let plain = EventShape()

    /// Whether each member is a node of the element, so that looking it up again costs nothing.
    var isPlain: Bool {
        if case .native = format { types.isEmpty } else { false }
    }

    /// Decides which event an element is, or why it is none.
    ///
    /// - Parameter source: where the key is, unless the format's own place holds it.
    public func envelope(of root: JSONNode, key source: KeySource) throws(Refusal) -> Envelope {
        guard root.kind == .object else {
            if case .debezium = format, root.kind == .null { throw DebeziumFormat.tombstone }
            throw Refusal(.notAnObject, "expected an object, found \(root.article)")
        }
        let envelope =
            switch format {
            case .native: try NativeFormat.envelope(of: root, self, source)
            case .cloudEvents: try CloudEventsFormat.envelope(of: root, self, source)
            case .pointers(let pointers): try pointers.envelope(of: root, self, source)
            case .debezium(let debezium): try debezium.envelope(of: root, self, source)
            }
        if !types.isEmpty { try checkTypes(of: root) }
        return envelope
    }

    /// The value of `$name`, or nil when it is missing. Not for those that the log keeps.
    ///
    /// Throws for an element whose values are not what `types` or the format says: `envelope` refuses those.
    func member(_ name: Event.MemberName, of root: JSONNode) throws(Refusal) -> EventMember? {
        if name == .element { return .node(root) }
        let member: EventMember? =
            switch format {
            case .native: root.member(name.rawValue).map(EventMember.node)
            case .cloudEvents: try CloudEventsFormat.member(name, of: root)
            case .pointers(let pointers): pointers.member(name, of: root)
            case .debezium(let debezium): try debezium.member(name, of: root)
            }
        guard !types.isEmpty, let member, let tree = types[(Self.rowSides.contains(name) ? .row : name).rawValue] else { return member }
        return .value(try tree.apply(to: member, at: "$" + name.rawValue))
    }

    /// What a stream's `key:` finds.
    func key(at path: [String], of root: JSONNode) throws(Refusal) -> EventMember? {
        guard let name = path.first.flatMap(Event.MemberName.init) else { return nil }
        return try member(name, of: root)?.descend(path.dropFirst())
    }

    /// A row has the same types before and after its change.
    private static let rowSides = [Event.MemberName.before, .after]

    private func checkTypes(of root: JSONNode) throws(Refusal) {
        for name in types.members.keys.sorted().compactMap(Event.MemberName.init) {
            for name in name == .row ? Self.rowSides : [name] { _ = try member(name, of: root) }
        }
    }
}

extension StreamSettings {
    /// Decides which event an element is, or why it is none.
    public func envelope(of root: JSONNode) throws(Refusal) -> Envelope { try shape.envelope(of: root, key: key) }

    /// The partition whose list an element belongs onto; nil for one that is no event, which is logged and parked wherever
    /// it is.
    public func partition(of element: [UInt8]) -> Int? { key(of: element).map { Partitioning.partition(of: $0.utf8, count: partitions) } }

    /// The key of an element; nil where it has none.
    public func key(of element: [UInt8]) -> String? {
        var elements = RawElements()
        element.withUnsafeBytes { elements.append($0) }
        let tape = elements.parse()
        return withExtendedLifetime(tape) {
            guard case .success(let root) = tape.root(0), let envelope = try? envelope(of: root) else { return nil }
            return envelope.key.string
        }
    }
}

/// Where an event's members are in its element.
public enum EventFormat: Hashable, Sendable {
    /// Millrace's own envelope.
    case native
    /// CloudEvents 1.0 in structured JSON.
    case cloudEvents
    /// Debezium's change events in JSON.
    case debezium(DebeziumFormat)
    /// Anything else that has an id, a type and a key somewhere. Behind a reference: every event carries its format.
    indirect case pointers(EventPointers)
}

/// A member of an event: as it is in the element, or made of it.
enum EventMember {
    case node(JSONNode)
    case value(Value)

    var value: Value {
        switch self {
        case .node(let node): node.value
        case .value(let value): value
        }
    }

    /// The value at a path as an aggregation expression follows it.
    func resolve(_ path: [String]) -> Value? {
        switch self {
        case .node(let node): node.resolve(path)
        case .value(let value): value.resolve(path)
        }
    }

    /// What lies at a path of names alone: lists are not looked into, because a key is one.
    func descend(_ path: ArraySlice<String>) -> EventMember? {
        path.reduce(self) { member, name in
            switch member {
            case .node(let node)?: node.member(name).map(EventMember.node)
            case .value(let value)?: value.asDocument?[name].map(EventMember.value)
            case nil: nil
            }
        }
    }
}
