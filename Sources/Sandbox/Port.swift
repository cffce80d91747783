import Events
import Foundation

/// Free ports on the loopback interface.
enum Port {
    /// Below the ports that the system gives to outgoing connections: a server that was killed must get its port back,
    /// and any client could have taken one from there meanwhile.
    private static let range = 12_000..<32_000
    private static let attempts = 200

    static func free() throws -> Int {
        for _ in 0..<attempts {
            let port = Int.random(in: range)
            if isFree(port) { return port }
        }
        throw Refusal(.serverUnreachable, "no free port on 127.0.0.1 between \(range.lowerBound) and \(range.upperBound)")
    }

    /// Whether a server could listen there now. Another can be faster, so whoever starts one must look again.
    static func isFree(_ port: Int) -> Bool {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        defer { close(descriptor) }
        // As the servers do: connections that a killed server left behind are no obstacle.
        var yes: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = in_addr_t(0x7f00_0001).bigEndian
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                bind(descriptor, pointer, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0 && listen(descriptor, 1) == 0
            }
        }
    }
}
