import CHiredis
import Events

/// Where the parts of a reply go while hiredis reads it.
final class ReplySink {
    private(set) var reply = RedisReply()
    /// Not checked for overlapping access: nothing that is called with it comes back here, and it is asked for with each element.
    @exclusivity(unchecked) private(set) var elements = RawElements()
    /// Collect the strings of an array as elements, with this limit.
    var limit: ByteCount?
    /// Room for elements that is asked for at once, in bytes: growing means copying.
    private let room: Int

    init(room: Int = 0) { self.room = room }

    private func take(_ bytes: UnsafeRawBufferPointer, type: Int32, inArray: Bool) {
        if let limit, inArray, type == REDIS_REPLY_STRING {
            if elements.count == 0 { elements.reserve(bytes: room) }
            return elements.append(bytes, limit: limit)
        }
        let range = reply.bytes.count..<reply.bytes.count + bytes.count
        reply.bytes.append(contentsOf: bytes)
        switch type {
        case REDIS_REPLY_ERROR: reply.nodes.append(.error(range))
        case REDIS_REPLY_STATUS: reply.nodes.append(.status(range))
        default: reply.nodes.append(.string(range))
        }
    }

    /// hiredis wants a pointer for each object made and only looks whether it is null, so each gets its task's.
    static let functions = redisReplyObjectFunctions(
        createString: { task, bytes, count in
            guard let task, let sink = ReplySink.of(task) else { return nil }
            sink.take(UnsafeRawBufferPointer(start: bytes, count: count), type: task.pointee.type, inArray: task.pointee.parent != nil)
            return UnsafeMutableRawPointer(mutating: task)
        },
        createArray: { task, count in
            guard let task, let sink = ReplySink.of(task) else { return nil }
            sink.reply.nodes.append(.array(count: Int(count)))
            return UnsafeMutableRawPointer(mutating: task)
        },
        createInteger: { task, value in
            guard let task, let sink = ReplySink.of(task) else { return nil }
            sink.reply.nodes.append(.integer(value))
            return UnsafeMutableRawPointer(mutating: task)
        },
        createNil: { task in
            guard let task, let sink = ReplySink.of(task) else { return nil }
            sink.reply.nodes.append(.null)
            return UnsafeMutableRawPointer(mutating: task)
        },
        freeObject: { _ in }
    )

    private static func of(_ task: UnsafePointer<redisReadTask>) -> ReplySink? {
        task.pointee.privdata.map { Unmanaged<ReplySink>.fromOpaque($0).takeUnretainedValue() }
    }
}
