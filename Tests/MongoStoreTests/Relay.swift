import Foundation
import Synchronization

/// Stands between a driver and a mongod, and decides what becomes of the messages that commit a transaction. Everything
/// else it passes on.
final class Relay: Sendable {
    enum Fate: Sendable {
        /// The commit takes effect, and its answer is lost with the connection.
        case loseAnswer
        /// The connection is lost, and the commit stays on its way until `deliver`.
        case hold
    }

    private struct State {
        var fates: [Fate] = []
        var holdsAll = false
        var seen = 0
        var held: [@Sendable () -> Void] = []
    }

    /// Both ends of one connection, closed when nobody uses them any more.
    private final class Link: Sendable {
        let client: Int32
        let server: Int32
        let losesAnswer = Mutex(false)
        /// The server has answered, or will not any more.
        let answered = DispatchSemaphore(value: 0)

        init(client: Int32, server: Int32) {
            self.client = client
            self.server = server
        }

        deinit {
            close(client)
            close(server)
        }
    }

    let port: Int
    private let target: Int
    private let listener: Int32
    private let state = Mutex(State())

    /// - Parameter target: the port of the mongod on loopback.
    init(to target: Int) throws {
        self.target = target
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = Self.address(port: 0)
        let bound = Self.call(&address) { bind(listener, $0, $1) } == 0 && listen(listener, 16) == 0
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let named = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(listener, $0, &size) }
        }
        guard bound, named == 0 else { throw POSIXError(.EADDRINUSE) }
        self.listener = listener
        port = Int(UInt16(bigEndian: address.sin_port))
        Thread.detachNewThread { [self] in
            while true {
                let client = accept(listener, nil, nil)
                guard client >= 0 else { return }
                connect(client)
            }
        }
    }

    /// Takes no more connections.
    func stop() { shutdown(listener, Int32(SHUT_RDWR)) }

    /// What becomes of the next commits, and of all after them that are not named.
    func expect(_ fates: [Fate], holdAll: Bool = false) {
        state.withLock {
            $0.fates = fates
            $0.holdsAll = holdAll
        }
    }

    /// Commits that were asked for, and those of them that are on their way.
    var seen: Int { state.withLock { $0.seen } }
    var held: Int { state.withLock { $0.held.count } }

    /// Lets commits that are on their way arrive, the oldest first, and waits until each is answered.
    func deliver(_ count: Int = .max) {
        let due = state.withLock { state in
            let due = Array(state.held.prefix(count))
            state.held.removeFirst(due.count)
            return due
        }
        for deliver in due { deliver() }
    }

    private func connect(_ client: Int32) {
        let server = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = Self.address(port: target)
        let link = Link(client: client, server: server)
        guard Self.call(&address, { Foundation.connect(server, $0, $1) }) == 0 else { return }
        Thread.detachNewThread { [self] in
            while let message = Self.message(from: client), pass(message, link) {}
            shutdown(client, Int32(SHUT_RDWR))
        }
        Thread.detachNewThread {
            while let message = Self.message(from: server), !link.losesAnswer.withLock(\.self) {
                guard Self.write(message, to: client) else { break }
            }
            shutdown(client, Int32(SHUT_RDWR))
            link.answered.signal()
        }
    }

    /// False where the connection is lost.
    private func pass(_ message: [UInt8], _ link: Link) -> Bool {
        guard message.firstRange(of: "commitTransaction".utf8) != nil else { return Self.write(message, to: link.server) }
        let fate = state.withLock { state -> Fate? in
            state.seen += 1
            guard state.fates.isEmpty else { return state.fates.removeFirst() }
            return state.holdsAll ? .hold : nil
        }
        switch fate {
        case nil: return Self.write(message, to: link.server)
        case .loseAnswer:
            link.losesAnswer.withLock { $0 = true }
            return Self.write(message, to: link.server)
        case .hold:
            link.losesAnswer.withLock { $0 = true }
            state.withLock {
                $0.held.append {
                    if Self.write(message, to: link.server) { link.answered.wait() }
                }
            }
            return false
        }
    }

    private static func message(from socket: Int32) -> [UInt8]? {
        guard let head = read(4, from: socket) else { return nil }
        let length = head.reversed().reduce(0) { $0 << 8 | Int($1) }
        guard 16...(48 << 20) ~= length, let rest = read(length - 4, from: socket) else { return nil }
        return head + rest
    }

    private static func read(_ count: Int, from socket: Int32) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: count)
        return recv(socket, &bytes, count, Int32(MSG_WAITALL)) == count ? bytes : nil
    }

    private static func write(_ bytes: [UInt8], to socket: Int32) -> Bool {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes { send(socket, $0.baseAddress.map { $0 + sent }, bytes.count - sent, Int32(MSG_NOSIGNAL)) }
            guard count > 0 else { return false }
            sent += count
        }
        return true
    }

    private static func address(port: Int) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        address.sin_port = in_port_t(port).bigEndian
        return address
    }

    private static func call(_ address: inout sockaddr_in, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
        withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
        }
    }
}
