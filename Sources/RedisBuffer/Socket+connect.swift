import Glibc
import RedisAddress

extension Socket {
    /// Connects to the server, trying every address of its name. Finding the addresses takes as long as the system's
    /// resolver takes, whatever the deadline says.
    static func connect(to server: RedisURL.Server, until deadline: Deadline) throws(ConnectionFailure) -> Socket {
        switch server {
        case .unix(let path):
            return try connect(toPath: path, until: deadline)
        case .tcp(let host, let port):
            var failure = ConnectionFailure.closed("the name \(host) has no address")
            for address in try addresses(of: host, port: port) {
                do throws(ConnectionFailure) {
                    return try connect(to: address, until: deadline)
                } catch {
                    failure = error
                }
            }
            throw failure
        }
    }

    private struct Address {
        var family: Int32
        var bytes: [UInt8]
    }

    private static func addresses(of host: String, port: UInt16) throws(ConnectionFailure) -> [Address] {
        var hints = addrinfo()
        hints.ai_family = AF_UNSPEC
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var first: UnsafeMutablePointer<addrinfo>?
        let status = getaddrinfo(host, String(port), &hints, &first)
        guard status == 0 else {
            throw ConnectionFailure.closed("the name \(host) is not found: \(String(cString: gai_strerror(status)))")
        }
        defer { freeaddrinfo(first) }
        return sequence(first: first, next: { $0?.pointee.ai_next }).compactMap { entry in
            guard let info = entry?.pointee, let address = info.ai_addr else { return nil }
            return Address(
                family: info.ai_family,
                bytes: Array(UnsafeRawBufferPointer(start: address, count: Int(info.ai_addrlen)))
            )
        }
    }

    private static func connect(toPath path: String, until deadline: Deadline) throws(ConnectionFailure) -> Socket {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        // The URL has checked that the path fits, with a NUL after it.
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix($0.count - 1)) }
        return try connect(to: Address(family: AF_UNIX, bytes: withUnsafeBytes(of: &address, Array.init)), until: deadline)
    }

    private static func connect(to address: Address, until deadline: Deadline) throws(ConnectionFailure) -> Socket {
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        let descriptor = socket(address.family, kind, 0)
        guard descriptor >= 0 else { throw ConnectionFailure.closed(reason(errno)) }
        let made = Socket(descriptor: descriptor)
        let status = address.bytes.withUnsafeBytes { bytes in
            Glibc.connect(descriptor, bytes.assumingMemoryBound(to: sockaddr.self).baseAddress, socklen_t(bytes.count))
        }
        if status != 0 {
            guard errno == EINPROGRESS else { throw ConnectionFailure.closed(reason(errno)) }
            try made.wait(for: Int16(POLLOUT), until: deadline)
            var error: Int32 = 0
            var size = socklen_t(MemoryLayout<Int32>.size)
            getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &size)
            guard error == 0 else { throw ConnectionFailure.closed(reason(error)) }
        }
        if address.family != AF_UNIX {
            // Commands are small and wait for their answer. Keepalive notices a dead peer between two of them.
            set(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, 1)
            set(descriptor, SOL_SOCKET, SO_KEEPALIVE, 1)
            set(descriptor, Int32(IPPROTO_TCP), TCP_KEEPIDLE, 15)
            set(descriptor, Int32(IPPROTO_TCP), TCP_KEEPINTVL, 5)
            set(descriptor, Int32(IPPROTO_TCP), TCP_KEEPCNT, 3)
        }
        return made
    }

    private static func set(_ descriptor: Int32, _ level: Int32, _ option: Int32, _ value: Int32) {
        var value = value
        setsockopt(descriptor, level, option, &value, socklen_t(MemoryLayout<Int32>.size))
    }
}
