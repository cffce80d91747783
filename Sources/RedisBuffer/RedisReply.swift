/// One reply, flat: its values in the order in which they came, an array before its elements, and one run of bytes
/// with all the strings.
struct RedisReply {
    enum Node: Equatable {
        case string(Range<Int>)
        case status(Range<Int>)
        case error(Range<Int>)
        case integer(Int64)
        case array(count: Int)
        case null
    }

    var nodes: [Node] = []
    var bytes: [UInt8] = []

    func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }

    /// The text of the error, if it is or holds one.
    var error: String? {
        for case .error(let range) in nodes { return text(range) }
        return nil
    }
}

/// Takes a reply apart, value by value. What is not as expected is an error, not a trap: it came from a server.
struct ReplyReader {
    private let reply: RedisReply
    private let operation: String
    private var next = 0

    init(_ reply: RedisReply, operation: String) {
        self.reply = reply
        self.operation = operation
    }

    /// How many elements follow.
    mutating func array() throws(RedisError) -> Int {
        guard let count = try arrayOrNull() else { throw unexpected("an array") }
        return count
    }

    mutating func arrayOrNull() throws(RedisError) -> Int? {
        switch node() {
        case .array(let count): return count
        case .null: return nil
        default: throw unexpected("an array or null")
        }
    }

    mutating func integer() throws(RedisError) -> Int64 {
        guard case .integer(let value) = node() else { throw unexpected("an integer") }
        return value
    }

    mutating func text() throws(RedisError) -> String {
        String(decoding: try bytes(), as: UTF8.self)
    }

    mutating func textOrNull() throws(RedisError) -> String? {
        try bytesOrNull().map { String(decoding: $0, as: UTF8.self) }
    }

    mutating func bytes() throws(RedisError) -> [UInt8] {
        guard let bytes = try bytesOrNull() else { throw unexpected("a string") }
        return bytes
    }

    mutating func bytesOrNull() throws(RedisError) -> [UInt8]? {
        switch node() {
        case .string(let range), .status(let range): return Array(reply.bytes[range])
        case .null: return nil
        default: throw unexpected("a string or null")
        }
    }

    /// The id of the server's run, without which counts of cuts mean nothing.
    mutating func runID() throws(RedisError) -> String {
        let run = try text()
        guard !run.isEmpty else { throw unexpected("a run_id, which INFO does not say,") }
        return run
    }

    private mutating func node() -> RedisReply.Node? {
        defer { next += 1 }
        return next < reply.nodes.count ? reply.nodes[next] : nil
    }

    func unexpected(_ wanted: String) -> RedisError {
        RedisError(.unexpectedReply, operation: operation, message: "expected \(wanted) as value \(next) of the reply")
    }
}
