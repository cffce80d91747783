import Values

/// What the log decides about an element: which event it is, or why it is none. Pointers go into the element's tape.
public struct Envelope {
    public var id: UnsafeRawBufferPointer
    public var type: UnsafeRawBufferPointer
    public var key: Key
    /// Milliseconds since 1970, when the event says so.
    public var time: Int64?

    /// A key is text; an integer key is its decimal text.
    public enum Key {
        case text(UnsafeRawBufferPointer)
        case integer(Int64)

        public var string: String {
            switch self {
            case .text(let bytes): String(decoding: bytes, as: UTF8.self)
            case .integer(let number): String(number)
            }
        }

        /// The key's number among those met so far.
        func number(in keys: inout NameTable) -> Int {
            switch self {
            case .text(let bytes): keys.number(of: bytes)
            case .integer: keys.number(of: ExactString(string))
            }
        }
    }

    /// Bytes that an event id or type may have.
    public static let nameLength = 1...256
    /// Bytes that a key may have.
    public static let keyLength = 1...512

    /// Reads the native envelope: `eventId`, `eventType`, `key`, and optionally `occurredAt`, `schemaVersion`, `data`.
    public static func decode(_ root: JSONNode, key source: KeySource) throws(Refusal) -> Envelope {
        guard root.kind == .object else { throw Refusal(.notAnObject, "expected an object, found \(article(root.kind))") }
        var id: JSONNode?
        var type: JSONNode?
        var key: JSONNode?
        var occurredAt: JSONNode?
        // One pass: the length tells the four names apart, and most others at once.
        root.forEachMember { name, value in
            switch name.count {
            case 3 where name.elementsEqual("key".utf8): key = value
            case 7 where name.elementsEqual("eventId".utf8): id = value
            case 9 where name.elementsEqual("eventType".utf8): type = value
            case 10 where name.elementsEqual("occurredAt".utf8): occurredAt = value
            default: break
            }
        }
        if case .path(let path) = source {
            key = path.reduce(root) { node, name in node?.member(name) }
        }
        return Envelope(
            id: try name(id, "eventId", .badEventId),
            type: try name(type, "eventType", .badEventType),
            key: try decode(key: key, source),
            time: try decode(time: occurredAt)
        )
    }

    private static func name(_ node: JSONNode?, _ member: StaticString, _ problem: Problem) throws(Refusal) -> UnsafeRawBufferPointer {
        guard let node else { throw Refusal(problem, "\(member) is missing") }
        guard node.kind == .string else { throw Refusal(problem, "\(member) must be a string, found \(article(node.kind))") }
        guard nameLength.contains(node.utf8.count) else {
            throw Refusal(problem, "\(member) must have \(nameLength.lowerBound) to \(nameLength.upperBound) bytes, has \(node.utf8.count)")
        }
        return node.utf8
    }

    private static func decode(key node: JSONNode?, _ source: KeySource) throws(Refusal) -> Key {
        guard let node else {
            switch source {
            case .envelope: throw Refusal(.noKey, "key is missing")
            case .path(let path): throw Refusal(.noKey, "$\(path.joined(separator: ".")) is missing, which this stream takes the key from")
            }
        }
        if let integer = node.integer { return .integer(integer) }
        guard node.kind == .string else { throw Refusal(.badKey, "the key must be a string or an integer, found \(article(node.kind))") }
        let bytes = node.utf8
        guard keyLength.contains(bytes.count) else {
            throw Refusal(.badKey, "the key must have \(keyLength.lowerBound) to \(keyLength.upperBound) bytes, has \(bytes.count)")
        }
        guard !bytes.contains(0) else { throw Refusal(.badKey, "the key holds NUL") }
        return .text(bytes)
    }

    private static func decode(time node: JSONNode?) throws(Refusal) -> Int64? {
        guard let node, node.kind != .null else { return nil }
        guard node.kind == .string, let time = DateTime.parse(node.utf8) else {
            throw Refusal(.badTime, "occurredAt must be an RFC 3339 date-time such as 2026-11-20T10:00:00.000Z")
        }
        return time
    }

    private static func article(_ kind: JSONNode.Kind) -> String {
        switch kind {
        case .null: "null"
        case .bool: "a boolean"
        case .integer, .double: "a number"
        case .string: "a string"
        case .array: "an array"
        case .object: "an object"
        }
    }
}
