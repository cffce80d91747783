import CJSON
import Synchronization

/// Why a text is not a JSON value that Millrace takes. The raw values are kebab-case problem names.
public enum JSONProblem: String, Error, Sendable, CaseIterable {
    case empty = "empty-element"
    case syntax = "bad-json"
    case notUTF8 = "not-utf8"
    case tooDeep = "too-deep"
    case badNumber = "bad-number"
    case badString = "bad-string"
    case duplicateName = "duplicate-name"
    case nulInName = "nul-in-name"
    case tooLarge = "too-large"

    init?(code: UInt32) {
        switch Int(code) {
        case CJSON_OK: return nil
        case CJSON_EMPTY: self = .empty
        case CJSON_NOT_UTF8: self = .notUTF8
        case CJSON_TOO_DEEP: self = .tooDeep
        case CJSON_BAD_NUMBER: self = .badNumber
        case CJSON_BAD_STRING: self = .badString
        case CJSON_DUPLICATE_NAME: self = .duplicateName
        case CJSON_NUL_IN_NAME: self = .nulInName
        case CJSON_TOO_LARGE: self = .tooLarge
        default: self = .syntax
        }
    }

    /// What is wrong, for a person.
    public var explanation: String {
        switch self {
        case .empty: "the element is empty or holds white space only"
        case .syntax: "the element is not a complete JSON value"
        case .notUTF8: "the element is not UTF-8"
        case .tooDeep: "the element is nested deeper than 1,024 levels"
        case .badNumber: "a number is malformed, an integer beyond int64, or beyond the range of a double"
        case .badString: "a string has a bad escape or an unpaired surrogate"
        case .duplicateName: "an object names a member twice"
        case .nulInName: "a member name holds NUL, which MongoDB cannot store"
        case .tooLarge: "the element does not fit into memory"
        }
    }
}

/// Many JSON texts, each parsed apart, in flat arrays that cost no allocation per value.
///
/// `@unchecked Sendable`: the tape belongs to whoever parses until parsing is over, and nobody changes it afterwards.
public final class JSONTape: @unchecked Sendable {
    private let tape: OpaquePointer

    /// Tapes that nobody uses any more, with the room that they have: memory that is asked for with every chunk comes
    /// page by page, which takes longer than what is parsed into it.
    private static let idle = Mutex<[Idle]>([])
    /// As many as the pages of an ingest that are parsed at once, and bytes of all of them.
    private static let idleCount = 8
    private static let idleBytes = 32 << 20

    /// `@unchecked Sendable`: whoever takes it out of the list is the only one to have it.
    private struct Idle: @unchecked Sendable {
        var tape: OpaquePointer
        var bytes: Int
    }

    public init() {
        guard let tape = Self.idle.withLock({ $0.popLast() })?.tape ?? cjson_tape_new() else { preconditionFailure("out of memory") }
        self.tape = tape
    }

    deinit {
        let own = Idle(tape: tape, bytes: cjson_tape_clear(tape))
        let isKept = Self.idle.withLock { idle in
            guard idle.count < Self.idleCount, idle.reduce(own.bytes, { $0 + $1.bytes }) <= Self.idleBytes else { return false }
            idle.append(own)
            return true
        }
        if !isKept { cjson_tape_free(tape) }
    }

    /// The parser reads on behind the last text, by so many bytes: an array with that much spare room is not copied.
    public static let padding = cjson_padding()

    /// Parses the texts that lie in `bytes` at `offsets` and have `lengths`.
    public convenience init(parsing bytes: [UInt8], offsets: [UInt64], lengths: [UInt32]) {
        precondition(offsets.count == lengths.count)
        self.init()
        // The parser needs memory behind the last text, but not what is in it.
        let isPadded = bytes.capacity - bytes.count >= Self.padding
        let padded = isPadded ? bytes : bytes + [UInt8](repeating: 0, count: Self.padding)
        let done = padded.withUnsafeBufferPointer { cjson_parse(tape, $0.baseAddress, offsets, lengths, offsets.count) }
        precondition(done == 1, "out of memory")
    }

    /// Texts parsed so far.
    public var count: Int { cjson_root_count(tape) }

    /// The root value of the text parsed as number `index`, or why there is none.
    /// The node must not outlive the tape.
    public func root(_ index: Int) -> Result<JSONNode, JSONProblem> {
        precondition(index < count)
        guard let root = cjson_roots(tape)?[index] else { preconditionFailure("the tape has roots") }
        if let problem = JSONProblem(code: root.error) { return .failure(problem) }
        return .success(JSONNode(nodes: cjson_nodes(tape), strings: cjson_strings(tape), index: Int(root.root)))
    }
}

/// One value on a tape. Three words that point into the tape: whoever holds a node keeps its tape alive.
///
/// Reading is inlined where nodes are read: each event takes a dozen steps from node to node.
public struct JSONNode {
    @usableFromInline let nodes: UnsafePointer<cjson_node>
    @usableFromInline let strings: UnsafePointer<UInt8>
    @usableFromInline let index: Int

    @inlinable
    init(nodes: UnsafePointer<cjson_node>, strings: UnsafePointer<UInt8>, index: Int) {
        self.nodes = nodes
        self.strings = strings
        self.index = index
    }

    public enum Kind: Sendable { case null, bool, integer, double, string, array, object }

    @inlinable
    @inline(__always)
    public var kind: Kind {
        switch Int(nodes[index].kind) {
        case CJSON_NULL: .null
        case CJSON_FALSE, CJSON_TRUE: .bool
        case CJSON_INT64: .integer
        case CJSON_DOUBLE: .double
        case CJSON_STRING: .string
        case CJSON_ARRAY: .array
        default: .object
        }
    }

    /// The bytes of a string; empty for any other kind.
    @inlinable
    @inline(__always)
    public var utf8: UnsafeRawBufferPointer {
        guard Int(nodes[index].kind) == CJSON_STRING else { return UnsafeRawBufferPointer(start: nil, count: 0) }
        return UnsafeRawBufferPointer(start: strings + place, count: Int(nodes[index].length))
    }

    /// A payload that is a place on the tape.
    @inlinable
    @inline(__always) var place: Int { Int(truncatingIfNeeded: nodes[index].payload) }

    public var string: String? {
        Int(nodes[index].kind) == CJSON_STRING ? String(utf8: utf8) : nil
    }

    @inlinable
    public var integer: Int64? {
        Int(nodes[index].kind) == CJSON_INT64 ? Int64(bitPattern: nodes[index].payload) : nil
    }

    /// The number, with every digit that is written.
    public var decimal: Decimal128? {
        switch Int(nodes[index].kind) {
        case CJSON_INT64: return Decimal128(Int64(bitPattern: nodes[index].payload))
        case CJSON_DOUBLE: return Decimal128(written)
        default: return nil
        }
    }

    /// A double as it is written.
    private var written: String {
        let start = strings + Int(nodes[index].length)
        var count = 0
        while Self.isOfNumber(start[count]) { count += 1 }
        return String(decoding: UnsafeRawBufferPointer(start: start, count: count), as: UTF8.self)
    }

    /// Whether a byte can be of a number.
    private static func isOfNumber(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E"): true
        default: false
        }
    }

    /// The index of the node that follows this value.
    @inlinable
    @inline(__always) var after: Int { Int(nodes[index].kind) >= CJSON_ARRAY ? place : index + 1 }

    @inlinable func at(_ index: Int) -> JSONNode { JSONNode(nodes: nodes, strings: strings, index: index) }

    /// Calls `body` with each member of an object, in order; does nothing for any other kind.
    @inlinable @inline(__always)
    public func forEachMember(_ body: (_ name: UnsafeRawBufferPointer, _ value: JSONNode) -> Void) {
        guard Int(nodes[index].kind) == CJSON_OBJECT else { return }
        let end = place
        var name = at(index + 1)
        while name.index < end {
            let value = at(name.index + 1)
            body(name.utf8, value)
            name = at(value.after)
        }
    }

    /// The members of an object, in order; empty for any other kind.
    public var members: [(name: String, value: JSONNode)] {
        var members: [(String, JSONNode)] = []
        forEachMember { name, value in members.append((String(utf8: name), value)) }
        return members
    }

    /// The member of an object, or nil.
    @inlinable
    public func member(_ name: String) -> JSONNode? {
        guard Int(nodes[index].kind) == CJSON_OBJECT else { return nil }
        let (short, length, end) = (ShortText(name), name.utf8.count, place)
        var found = at(index + 1)
        while found.index < end {
            let value = at(found.index + 1)
            let start = UnsafeRawPointer(strings + found.place)
            if Int(nodes[found.index].length) == length, short?.isSame(as: start) ?? name.hasBytes(UnsafeRawBufferPointer(start: start, count: length)) {
                return value
            }
            found = at(value.after)
        }
        return nil
    }

    /// The element of an array, or nil.
    public func element(_ number: Int) -> JSONNode? {
        guard Int(nodes[index].kind) == CJSON_ARRAY, number >= 0, number < Int(nodes[index].length) else { return nil }
        var place = index + 1
        for _ in 0..<number { place = at(place).after }
        return at(place)
    }

    /// The elements of an array; empty for any other kind.
    public var elements: [JSONNode] {
        guard Int(nodes[index].kind) == CJSON_ARRAY else { return [] }
        var elements: [JSONNode] = []
        elements.reserveCapacity(Int(nodes[index].length))
        var place = index + 1
        let end = self.place
        while place < end {
            elements.append(at(place))
            place = at(place).after
        }
        return elements
    }

    /// The value as a document would hold it: integers as int32 or int64, other numbers as double, nothing
    /// reinterpreted (`{"$date": …}` stays a document).
    public var value: Value {
        let node = nodes[index]
        switch Int(node.kind) {
        case CJSON_NULL: return .null
        case CJSON_FALSE: return .bool(false)
        case CJSON_TRUE: return .bool(true)
        case CJSON_INT64: return Value(integer: Int64(bitPattern: node.payload))
        case CJSON_DOUBLE: return .double(Double(bitPattern: node.payload))
        case CJSON_STRING: return .string(String(utf8: utf8))
        case CJSON_ARRAY: return .array(elements.map(\.value))
        default:
            var document = Document()
            document.fields.reserveCapacity(Int(node.length))
            forEachMember { name, value in document.append(String(utf8: name), value.value) }
            return .document(document)
        }
    }

    /// Feeds the decoded value to a hasher: equal values give equal digests, however they were written.
    public func digest(into hasher: inout DigestHasher) {
        // A copy of its own: only then does its state stay in registers.
        var own = hasher
        defer { hasher = own }
        // A value's nodes are contiguous on the tape. Container payloads and string offsets are places on it, not
        // content, and are left out; lengths and kinds keep the sequence unambiguous.
        for place in index..<after {
            let node = nodes[place]
            // A double's length is a place too.
            own.combine(UInt64(node.kind) | (Int(node.kind) == CJSON_DOUBLE ? 0 : UInt64(node.length) << 32))
            switch Int(node.kind) {
            case CJSON_STRING: own.combine(at(place).utf8)
            case CJSON_INT64, CJSON_DOUBLE: own.combine(node.payload)
            default: break
            }
        }
    }
}
