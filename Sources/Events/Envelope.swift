import Values

/// What the log decides about an element: which event it is, or why it is none.
public struct Envelope {
    public var id: Name
    public var type: Name
    public var key: Name
    /// Milliseconds since 1970, when the event says so.
    public var time: Int64?
    /// Of what makes two elements with one id the same event; nil for the whole element.
    var content: Digest?

    /// Bytes in the element's tape, or text that was made of them.
    public enum Name {
        case bytes(UnsafeRawBufferPointer)
        case made(String)

        public var string: String {
            switch self {
            case .bytes(let bytes): String(utf8: bytes)
            case .made(let text): text
            }
        }

        var digest: Digest {
            switch self {
            case .bytes(let bytes): Digest(of: bytes)
            case .made(let text): Digest(of: text.utf8)
            }
        }

        /// The name's number among those met so far.
        func number(in names: inout NameTable) -> Int {
            switch self {
            case .bytes(let bytes): names.number(of: bytes)
            case .made(let text): names.number(of: ExactString(text))
            }
        }
    }

    init(id: Name, type: Name, key: Name, time: Int64?, content: Digest? = nil) {
        self.id = id
        self.type = type
        self.key = key
        self.time = time
        self.content = content
    }

    /// Bytes that an event id or type may have.
    public static let nameLength = 1...256
    /// Bytes that a key may have.
    public static let keyLength = 1...512

    /// - Parameter member: what it is called in this format.
    static func name(_ node: JSONNode?, _ member: String, _ problem: Problem) throws(Refusal) -> UnsafeRawBufferPointer {
        guard let node else { throw Refusal(problem, "\(member) is missing") }
        guard node.kind == .string else { throw Refusal(problem, "\(member) must be a string, found \(node.article)") }
        guard nameLength.contains(node.utf8.count) else {
            throw Refusal(problem, "\(member) must have \(nameLength.lowerBound) to \(nameLength.upperBound) bytes, has \(node.utf8.count)")
        }
        return node.utf8
    }

    /// A key is text; an integer key is its decimal text.
    ///
    /// - Parameter own: what the format has for a key, which `source` may put something else in the place of.
    static func key(_ own: EventMember?, _ member: String, _ root: JSONNode, _ shape: EventShape, _ source: KeySource) throws(Refusal) -> Name {
        switch source {
        case .envelope, .tables:
            guard let own else { throw Refusal(.noKey, "\(member) is missing") }
            return try key(own)
        case .path(let path):
            guard let found = try shape.key(at: path, of: root) else {
                throw Refusal(.noKey, "$\(path.joined(separator: ".")) is missing, which this stream takes the key from")
            }
            return try key(found)
        }
    }

    private static func key(_ member: EventMember) throws(Refusal) -> Name {
        switch member {
        case .node(let node):
            if let integer = node.integer { return .made(String(integer)) }
            guard node.kind == .string else { throw Refusal(.badKey, "the key must be a string or an integer, found \(node.article)") }
            let bytes = node.utf8
            try check(key: bytes)
            return .bytes(bytes)
        case .value(let value):
            if let integer = value.asInteger { return .made(String(integer)) }
            guard let text = value.asString else {
                throw Refusal(.badKey, "the key must be a string or an integer, found a value of type \(value.typeName)")
            }
            try check(key: text.utf8)
            return .made(text)
        }
    }

    private static func check(key bytes: some Collection<UInt8>) throws(Refusal) {
        guard keyLength.contains(bytes.count) else {
            throw Refusal(.badKey, "the key must have \(keyLength.lowerBound) to \(keyLength.upperBound) bytes, has \(bytes.count)")
        }
        guard !bytes.contains(0) else { throw Refusal(.badKey, "the key holds NUL") }
    }

    /// When it happened. `types: { occurredAt: … }` says how a stream writes it, if not as RFC 3339.
    static func time(_ node: JSONNode?, _ member: String, _ types: TypeTree) throws(Refusal) -> Int64? {
        guard let node, node.kind != .null else { return nil }
        if !types.isEmpty, let type = types["occurredAt"]?.type {
            guard case .date(let time)? = type.convert(node.value) else { throw Refusal(.badTime, "\(member) must be \(type.expectation)") }
            return time
        }
        guard node.kind == .string, let time = DateTime.parse(node.utf8) else {
            throw Refusal(.badTime, "\(member) must be an RFC 3339 date-time such as 2026-11-20T10:00:00.000Z")
        }
        return time
    }
}

extension JSONNode {
    /// Of the decoded value.
    var digest: Digest {
        var hasher = DigestHasher()
        digest(into: &hasher)
        return hasher.finalize()
    }

    /// Its kind, for messages.
    var article: String {
        switch kind {
        case .null: "null"
        case .bool: "a boolean"
        case .integer, .double: "a number"
        case .string: "a string"
        case .array: "an array"
        case .object: "an object"
        }
    }

    /// Follows a path as an aggregation expression does: a name applied to an array is applied to each element that
    /// is an object, and what lacks it is left out.
    func resolve(_ path: [String], from start: Int = 0) -> Value? {
        var node = self
        for place in start..<path.count {
            switch node.kind {
            case .object:
                guard let member = node.member(path[place]) else { return nil }
                node = member
            case .array: return .array(node.elements.compactMap { $0.kind == .object ? $0.resolve(path, from: place) : nil })
            default: return nil
            }
        }
        return node.value
    }
}
