import Foundation

/// A protocol whose requests the proxy can tell apart.
public enum Wire: Sendable {
    case mongodb
    case redis
}

/// One request on its way to a server.
struct Request {
    /// The command as the protocol spells it; empty where it has no name that anybody asks for.
    var command: String
    var bytes: [UInt8]
}

/// Cuts what a client sends into requests.
struct RequestReader {
    private let wire: Wire
    private let socket: Int32
    private var buffer: [UInt8] = []
    private var start = 0

    init(_ wire: Wire, _ socket: Int32) {
        self.wire = wire
        self.socket = socket
    }

    /// The next request; nil at the end, and for bytes that are not of the protocol.
    mutating func next() -> Request? {
        switch wire {
        case .mongodb: mongodb()
        case .redis: redis()
        }
    }

    // MARK: MongoDB: a header of 16 bytes, the length first; a command's name is the first field of its document

    private static let header = 16
    private static let longest = 48 << 20
    /// OP_MSG: flags of four bytes, one byte that says "a document follows", its length and the first field's type.
    private static let message: Int32 = 2013
    private static let nameOffset = header + 4 + 1 + 4 + 1

    private mutating func mongodb() -> Request? {
        guard fill(Self.header) else { return nil }
        let length = Int(integer(at: 0))
        guard Self.header...Self.longest ~= length, fill(length) else { return nil }
        let isMessage = integer(at: 12) == Self.message && length > Self.nameOffset
        let bytes = take(length)
        guard isMessage else { return Request(command: "", bytes: bytes) }
        return Request(command: String(decoding: bytes[Self.nameOffset...].prefix { $0 != 0 }, as: UTF8.self), bytes: bytes)
    }

    private func integer(at offset: Int) -> Int32 {
        buffer.withUnsafeBytes { Int32(littleEndian: $0.loadUnaligned(fromByteOffset: start + offset, as: Int32.self)) }
    }

    // MARK: Redis: an array of strings

    private mutating func redis() -> Request? {
        var end = 0
        guard let count = number(after: "*", &end) else { return nil }
        var command = ""
        for index in 0..<count {
            guard let length = number(after: "$", &end), fill(end + length + 2) else { return nil }
            if index == 0 { command = String(decoding: buffer[(start + end)..<(start + end + length)], as: UTF8.self).uppercased() }
            end += length + 2
        }
        return Request(command: command, bytes: take(end))
    }

    /// The number of a line at `place`, which is moved behind the line.
    private mutating func number(after mark: Character, _ place: inout Int) -> Int? {
        let first = place
        while true {
            guard fill(place + 2) else { return nil }
            if buffer[start + place] == 13 { break }
            place += 1
        }
        let line = String(decoding: buffer[(start + first)..<(start + place)], as: UTF8.self)
        place += 2
        guard line.first == mark, let number = Int(line.dropFirst()), number >= 0 else { return nil }
        return number
    }

    // MARK: Bytes

    /// Reads until `count` bytes are there.
    private mutating func fill(_ count: Int) -> Bool {
        while buffer.count - start < count {
            guard let more = Sockets.receive(from: socket) else { return false }
            buffer += more
        }
        return true
    }

    private mutating func take(_ count: Int) -> [UInt8] {
        let bytes = Array(buffer[start..<(start + count)])
        start += count
        if start == buffer.count {
            buffer.removeAll(keepingCapacity: true)
            start = 0
        }
        return bytes
    }
}
