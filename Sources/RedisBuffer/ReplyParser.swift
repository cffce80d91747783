import CHiredis
import Events

/// hiredis's protocol reader with object functions of our own, which copy each string once, to where it stays, instead
/// of building a tree of objects. The only place that touches hiredis.
///
/// Single-threaded, like the reader it owns.
final class ReplyParser {
    /// A buffer above this is given back after use, and more room is never asked for ahead: one huge element must not be paid
    /// for ever. Ordinary pages, whose elements are below `maxEventBytes`, stay under it and cost no reallocation.
    private static let idleBuffer = ByteCount.mebibytes(8)

    private let functions: UnsafeMutablePointer<redisReplyObjectFunctions>
    private var reader: UnsafeMutablePointer<redisReader>
    private var sink = ReplySink()
    /// For the next page, which will be about as large as the last one, as a rule.
    private var room = 0

    /// - Throws: where there is no memory.
    init() throws(ConnectionFailure) {
        functions = .allocate(capacity: 1)
        functions.initialize(to: ReplySink.functions)
        guard let reader = redisReaderCreateWithFunctions(functions) else {
            functions.deallocate()
            throw .garbled("out of memory")
        }
        // hiredis frees its buffer only when a large reply happens to end it: see `giveBack`.
        reader.pointee.maxbuf = 0
        self.reader = reader
    }

    deinit {
        redisReaderFree(reader)
        functions.deallocate()
    }

    /// Takes over bytes as they came from the server.
    func feed(_ bytes: UnsafeRawBufferPointer) throws(ConnectionFailure) {
        guard redisReaderFeed(reader, bytes.assumingMemoryBound(to: CChar.self).baseAddress, bytes.count) == REDIS_OK else {
            throw failure
        }
    }

    /// The next reply; nil when more bytes are needed.
    ///
    /// - Parameter limit: if given, the strings of an array go to `elements`, cut to their head above this size.
    func next(collecting limit: ByteCount?) throws(ConnectionFailure) -> (reply: RedisReply, elements: RawElements)? {
        sink.limit = limit
        // Only for the duration of the call: hiredis knows the sink by an unretained pointer.
        reader.pointee.privdata = Unmanaged.passUnretained(sink).toOpaque()
        var found: UnsafeMutableRawPointer?
        guard redisReaderGetReply(reader, &found) == REDIS_OK else { throw failure }
        guard found != nil else { return nil }
        let size = sink.elements.bytes.count
        if size > 0 { room = min(Self.idleBuffer.bytes, size + size / 8) }
        defer { sink = ReplySink(room: room) }
        return (sink.reply, sink.elements)
    }

    /// Frees a large buffer. For the time between two exchanges, when everything has been read.
    func giveBack() {
        guard reader.pointee.pos == reader.pointee.len, sdsalloc(reader.pointee.buf) > Self.idleBuffer.bytes,
            let fresh = redisReaderCreateWithFunctions(functions)
        else { return }
        fresh.pointee.maxbuf = 0
        redisReaderFree(reader)
        reader = fresh
    }

    private var failure: ConnectionFailure {
        let text = withUnsafeBytes(of: reader.pointee.errstr) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        return .garbled(text)
    }
}
