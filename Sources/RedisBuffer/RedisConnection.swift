import Events
import RedisAddress

/// One connection, logged in. Whoever meets an error throws it away: after a timeout, a late answer would be taken for
/// the next command's.
///
/// Not Sendable: it belongs to one actor and its thread.
final class RedisConnection {
    /// What it is used for at the moment, for messages.
    var operation = "connect"
    private let socket: Socket
    private let parser: ReplyParser
    private let timeout: Duration
    private let received = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 10, alignment: 16)

    /// - Parameter timeout: for connecting, and for each exchange.
    init(to url: RedisURL, timeout: Duration) throws(RedisError) {
        self.timeout = timeout
        let commands = Self.logIn(url)
        let replies: [RedisReply]
        do throws(ConnectionFailure) {
            parser = try ReplyParser()
            socket = try Socket.connect(to: url.server, until: Deadline(timeout))
            replies = try roundTrip(commands, collecting: nil).replies
        } catch {
            throw RedisError(.unreachable, operation: operation, message: "\(url): \(error.reason(after: timeout))")
        }
        // The last one only names the connection in CLIENT LIST: a user who may not do that works as well. But it is the one
        // that says NOAUTH where the URL has no password: to a long command, such as a script's, Redis then answers that
        // the protocol is wrong.
        for (place, reply) in replies.enumerated() {
            guard let error = reply.error.map({ RedisError(setUpReply: $0, operation: operation) }) else { continue }
            if place < replies.count - 1 || error.code == .noPassword { throw error }
        }
    }

    deinit { received.deallocate() }

    private static func logIn(_ url: RedisURL) -> [Command] {
        var commands: [Command] = []
        if let password = url.password { commands.append(Command(["AUTH"] + (url.user.map { [$0] } ?? []) + [password])) }
        if url.database != 0 { commands.append(Command(["SELECT", "\(url.database)"])) }
        return commands + [Command(["CLIENT", "SETNAME", "millrace"])]
    }

    /// Sends commands in one go and reads their replies. All are read, whatever the first ones say, so that the next
    /// exchange begins with its own.
    ///
    /// For commands that together are small beside a socket's buffers, or for a single one: the server stops reading
    /// while nobody reads its replies.
    ///
    /// - Parameter limit: if given, the strings in arrays go to `elements`, cut to their head above this size.
    /// - Returns: the replies, error replies among them.
    func exchange(
        _ commands: [Command], collecting limit: ByteCount? = nil
    ) throws(RedisError) -> (replies: [RedisReply], elements: RawElements) {
        do throws(ConnectionFailure) {
            return try roundTrip(commands, collecting: limit)
        } catch {
            throw error.error(operation, after: timeout)
        }
    }

    /// One command's reply; an error reply is thrown.
    func call(_ command: Command) throws(RedisError) -> ReplyReader {
        try reader(try exchange([command]).replies[0])
    }

    /// Runs a script by its digest, or by its text where the server does not have it (any more).
    ///
    /// - Parameter values: further arguments, of any bytes.
    func evaluate(_ script: Script, keys: [String], arguments: [String], values: [[UInt8]] = []) throws(RedisError) -> ReplyReader {
        let rest = ["\(keys.count)"] + keys + arguments
        let reply = try exchange([Command(["EVALSHA", script.digest] + rest, values: values[...])]).replies[0]
        guard let error = reply.error, error.hasPrefix(RedisError.Code.unknownScript.rawValue) else { return try reader(reply) }
        return try call(Command(["EVAL", script.text] + rest, values: values[...]))
    }

    /// Throws the error that the reply is or holds.
    func reader(_ reply: RedisReply) throws(RedisError) -> ReplyReader {
        if let error = reply.error { throw RedisError(reply: error, operation: operation) }
        return ReplyReader(reply, operation: operation)
    }

    private func roundTrip(
        _ commands: [Command], collecting limit: ByteCount?
    ) throws(ConnectionFailure) -> (replies: [RedisReply], elements: RawElements) {
        var deadline = Deadline(timeout)
        var replies: [RedisReply] = []
        var elements = RawElements()
        let bytes = commands.count == 1 ? commands[0].bytes : Array(commands.map(\.bytes).joined())
        try socket.send(bytes, until: &deadline)
        while replies.count < commands.count {
            if let next = try parser.next(collecting: limit) {
                replies.append(next.reply)
                if next.elements.count > 0 { elements = next.elements }
            } else {
                let count = try socket.receive(into: received, until: &deadline)
                try parser.feed(UnsafeRawBufferPointer(rebasing: received[..<count]))
            }
        }
        parser.giveBack()
        return (replies, elements)
    }
}
