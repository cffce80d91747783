import Foundation
import RedisAddress
import Threads

@testable import RedisBuffer

/// A server on a thread of its own that does to each client what a test says.
final class ScriptedServer: Sendable {
    struct Client {
        fileprivate let descriptor: Int32

        /// False once the other side has hung up.
        @discardableResult
        func send(_ text: String) -> Bool {
            Array(text.utf8).withUnsafeBytes { Foundation.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) } > 0
        }

        /// Says that nothing more will come, and takes what the other side sends until it hangs up. A connection that is
        /// closed with something unread is reset, and what was sent on it may be lost.
        func hangUp() {
            shutdown(descriptor, Int32(SHUT_WR))
            var bytes = [UInt8](repeating: 0, count: 4096)
            while recv(descriptor, &bytes, bytes.count, 0) > 0 {}
        }
    }

    let url: RedisURL
    private let listener: Int32

    init(_ script: @escaping @Sendable (Client) -> Void) throws {
        let port = try TestRedis.freePort()
        url = try RedisURL("redis://127.0.0.1:\(port)")
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        self.listener = listener
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let status = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                bind(listener, pointer, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard status == 0, listen(listener, 8) == 0 else { throw POSIXError(.EADDRINUSE) }
        Thread.detachNewThread {
            // Closed by nobody else: another server's listener would get its number, and this thread would accept there.
            defer { close(listener) }
            while true {
                let descriptor = accept(listener, nil, nil)
                guard descriptor >= 0 else { return }
                script(Client(descriptor: descriptor))
                close(descriptor)
            }
        }
    }

    deinit {
        // Ends the thread, which may wait in accept.
        shutdown(listener, Int32(SHUT_RDWR))
    }
}
