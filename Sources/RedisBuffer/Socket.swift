import Glibc

/// A connected socket. It never blocks outside `poll`, so that a deadline holds to the millisecond.
///
/// Not hiredis's connection: that tries only the first of a name's addresses, times each `read` instead of the whole
/// answer, moves what is left of a large command to the front after each partial `write`, and dies of SIGPIPE.
final class Socket {
    private let descriptor: Int32

    /// Owns the descriptor.
    init(descriptor: Int32) { self.descriptor = descriptor }

    deinit { close(descriptor) }

    /// Sends all bytes.
    func send(_ bytes: [UInt8], until deadline: inout Deadline) throws(ConnectionFailure) {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes { buffer in
                Glibc.send(descriptor, buffer.baseAddress?.advanced(by: sent), buffer.count - sent, Int32(MSG_NOSIGNAL))
            }
            if count > 0 {
                sent += count
                deadline.moved(count)
            } else {
                try waitAfterError(errno, for: Int16(POLLOUT), until: deadline)
            }
            if deadline.remaining == .zero { throw ConnectionFailure.timeout }
        }
    }

    /// Waits for bytes and puts them at the front of `buffer`: how many.
    func receive(into buffer: UnsafeMutableRawBufferPointer, until deadline: inout Deadline) throws(ConnectionFailure) -> Int {
        while true {
            let count = recv(descriptor, buffer.baseAddress, buffer.count, 0)
            if count == 0 { throw ConnectionFailure.closed("the server closed the connection") }
            if count < 0 { try waitAfterError(errno, for: Int16(POLLIN), until: deadline) }
            if deadline.remaining == .zero { throw ConnectionFailure.timeout }
            if count > 0 {
                deadline.moved(count)
                return count
            }
        }
    }

    /// - Parameter error: `errno` of the call that failed.
    private func waitAfterError(_ error: Int32, for events: Int16, until deadline: Deadline) throws(ConnectionFailure) {
        guard error == EAGAIN || error == EWOULDBLOCK || error == EINTR else {
            throw ConnectionFailure.closed(reason(error))
        }
        try wait(for: events, until: deadline)
    }

    /// Until the socket can be read or written, or has failed, which the next call finds out.
    func wait(for events: Int16, until deadline: Deadline) throws(ConnectionFailure) {
        var request = pollfd(fd: descriptor, events: events, revents: 0)
        switch poll(&request, 1, deadline.remainingMilliseconds) {
        case 0: throw ConnectionFailure.timeout
        case ..<0 where errno != EINTR: throw ConnectionFailure.closed(reason(errno))
        default: break
        }
    }
}

/// The system's words for an `errno`.
func reason(_ error: Int32) -> String {
    var text = [CChar](repeating: 0, count: 128)
    guard strerror_r(error, &text, text.count) == 0 else { return "error \(error)" }
    return text.withUnsafeBytes { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
}
