import Events
import Projector
import RedisAddress
import Threads

/// One list in Redis and the segment cut from it, over a connection and a thread of its own.
///
/// A Redis user for it needs the list's keys (`~events:*`) and `+evalsha +eval +type +get +set +incr +exists +persist
/// +renamenx +unlink +llen +lrange +lindex +rpush +info`; `+ping` for `RedisServer`. A producer needs `+rpush`.
public actor RedisBuffer: SegmentBuffer {
    /// What is kept of an element for `waiting`.
    private static let head = StreamSettings.oversizeHead
    /// Bounds of one `RPUSH`.
    private static let pageBytes = ByteCount.mebibytes(1)
    private static let pageElements = 10_000

    public nonisolated let list: String
    public nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }
    private let executor = ThreadExecutor(name: "redis-buffer")
    private let keys: BufferKeys
    private let installation: String
    private let maxEventBytes: ByteCount
    private var lane: RedisLane

    /// - Parameters:
    ///   - installation: whose list it is from the first cut on; another installation's is refused.
    ///   - maxEventBytes: a larger element is read as its head only.
    ///   - timeout: for connecting, and for each call; a large answer gets longer while it arrives.
    public init(
        url: RedisURL, list: String, installation: String, maxEventBytes: ByteCount, timeout: Duration = .seconds(10)
    ) {
        self.list = list
        self.installation = installation
        self.maxEventBytes = maxEventBytes
        keys = BufferKeys(list: list)
        lane = RedisLane(url: url, timeout: timeout)
    }

    public func cut(epoch: Int64, identity: String) throws -> CutReply {
        try run("cut", .cut, ["\(epoch)", identity, installation]) { kind, reply throws(RedisError) in
            switch kind {
            case "cut":
                let run = try reply.runID()
                let cuts = try reply.integer()
                guard let stored = try reply.textOrNull() else { return .cut(nil, complete: BufferToken(run: run, cuts: cuts)) }
                let (identity, adopted) = Self.parts(of: stored)
                let segment = Segment(identity: identity, length: try reply.integer(), adopted: adopted)
                // What the last cut took is this segment, and not complete while it is there.
                return .cut(segment, complete: BufferToken(run: run, cuts: cuts - 1))
            case "foreign": return .foreign(owner: try reply.text())
            case "fenced": return .fenced(by: try reply.integer())
            default: throw reply.unexpected("an outcome of the cut")
            }
        }
    }

    public func read(identity: String, from: Int64, count: Int) throws -> RawElements? {
        guard count > 0 else { return RawElements() }
        return try lane.run("read \(list)") { connection throws(RedisError) in
            // On one connection, and not as a transaction, which a full Redis refuses. An identity is never used twice,
            // so the same one before and after means that all elements are of that segment.
            let identify = Command(["GET", keys.id])
            let range = Command(["LRANGE", keys.segment, "\(from)", "\(from + Int64(count) - 1)"])
            let (replies, elements) = try connection.exchange([identify, range, identify], collecting: maxEventBytes)
            var isSame = true
            for (place, reply) in replies.enumerated() {
                var reader = try connection.reader(reply)
                guard place != 1 else { continue }
                isSame = try reader.textOrNull().map { Self.parts(of: $0).identity == identity } == true && isSame
            }
            return isSame && elements.count == count ? elements : nil
        }
    }

    public func release(epoch: Int64, identity: String, oversize: [Int64]) throws -> ReleaseReply {
        try run("release", .release, ["\(epoch)", identity] + oversize.map(String.init)) { kind, reply throws(RedisError) in
            switch kind {
            case "released": return .released
            case "gone": return .gone
            case "fenced": return .fenced(by: try reply.integer())
            default: throw reply.unexpected("an outcome of the release")
            }
        }
    }

    public func token() throws -> BufferToken {
        try run("token", .token, []) { _, reply throws(RedisError) in
            BufferToken(run: try reply.runID(), cuts: try reply.integer())
        }
    }

    public func waiting() throws -> BufferState {
        try run("waiting", .waiting, ["\(Self.head.bytes)"]) { _, reply throws(RedisError) in
            BufferState(
                waiting: try reply.integer(), inSegment: try reply.integer(), oversize: try reply.integer(),
                oldest: try reply.bytesOrNull()
            )
        }
    }

    /// The elements of `L:oversize` that are wanted: looked at one by one, since each may be large.
    public func oversize(where isWanted: @Sendable ([UInt8]) -> Bool) throws -> [[UInt8]] {
        try lane.run("look through \(keys.oversize)") { connection throws(RedisError) in
            var length = try connection.call(Command(["LLEN", keys.oversize]))
            var wanted: [[UInt8]] = []
            for index in 0..<(try length.integer()) {
                var reply = try connection.call(Command(["LINDEX", keys.oversize, "\(index)"]))
                if let element = try reply.bytesOrNull(), isWanted(element) { wanted.append(element) }
            }
            return wanted
        }
    }

    /// Removes elements of `L:oversize`.
    public func removeOversize(_ elements: [[UInt8]]) throws {
        try lane.run("remove from \(keys.oversize)") { connection throws(RedisError) in
            for element in elements { _ = try connection.call(Command(["LREM", keys.oversize, "0"], values: [element])) }
        }
    }

    /// Appends elements to the list, in order. Producers know no installations, so the owner is not looked at.
    ///
    /// One command of bounded size after the other: if the first of two sent together is refused, as by a full Redis,
    /// and the second is not, then events of one key are out of order.
    ///
    /// - Returns: the list's length.
    /// - Throws: a `RedisError` that says how many elements are known to be in the list. The outcome of those that
    ///   follow may be unknown; pushing all of them again is safe, since a second copy of an event counts as a duplicate.
    @discardableResult
    public func push(_ elements: [[UInt8]]) throws -> Int64 {
        var done = 0
        do throws(RedisError) {
            return try lane.run("push to \(list)") { connection throws(RedisError) in
                while let end = Self.end(ofPageFrom: done, in: elements) {
                    var reply = try connection.call(Command(["RPUSH", list], values: elements[done..<end]))
                    done = end
                    if end == elements.count { return try reply.integer() }
                }
                var reply = try connection.call(Command(["LLEN", list]))
                return try reply.integer()
            }
        } catch {
            throw error.noting("\(done) of \(elements.count) elements were pushed before")
        }
    }

    /// One `RPUSH`'s elements: as many as fit into `pageBytes`, and at least one; nil at the end.
    private static func end(ofPageFrom start: Int, in elements: [[UInt8]]) -> Int? {
        guard start < elements.count else { return nil }
        var bytes = elements[start].count
        var end = start + 1
        while end < elements.count, end - start < pageElements, bytes + elements[end].count <= pageBytes.bytes {
            bytes += elements[end].count
            end += 1
        }
        return end
    }

    /// A stored identity carries the mark `:adopted` if its segment was found without one.
    private static func parts(of stored: String) -> (identity: String, adopted: Bool) {
        let mark = ":adopted"
        return stored.hasSuffix(mark) ? (String(stored.dropLast(mark.count)), true) : (stored, false)
    }

    /// Runs a script on the list's keys and gives its reply, behind its first word, to `body`.
    private func run<Result>(
        _ what: String, _ script: Script, _ arguments: [String],
        _ body: (String, inout ReplyReader) throws(RedisError) -> Result
    ) throws(RedisError) -> Result {
        try lane.run("\(what) \(list)") { connection throws(RedisError) in
            var reply = try connection.evaluate(script, keys: keys.all, arguments: arguments)
            _ = try reply.array()
            let kind = try reply.text()
            guard kind != "wrong-type" else {
                let (key, found, wanted) = (try reply.text(), try reply.text(), try reply.text())
                throw RedisError(.wrongType, operation: connection.operation, message: "\(key) is a \(found), expected a \(wanted)")
            }
            return try body(kind, &reply)
        }
    }
}
