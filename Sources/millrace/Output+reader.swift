import ArgumentParser
import Glibc

/// What a program that goes on wants to know of its reader.
extension Output {
    /// Ends a program that has nothing to print yet, and would wait for ever.
    static func exitIfNobodyReads() {
        if isReady(0) & POLLERR != 0 { exit(Ending.brokenPipe.rawValue) }
    }

    /// Prints whole lines as the reader takes them, without keeping a thread: a reader may take hours.
    static func offer(_ bytes: [UInt8]) async throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            // A pipe that says that it is ready takes so many at once.
            while isReady(POLLOUT) == 0 { try await Task.sleep(for: .milliseconds(5)) }
            lines(Array(rest.prefix(Int(PIPE_BUF))))
            rest = rest.dropFirst(Int(PIPE_BUF))
        }
    }

    /// Waits until the reader of a pipe has taken everything out of it; of a file, everything is there at once.
    static func untilTaken() async throws {
        while true {
            var waiting: Int32 = 0
            guard ioctl(STDOUT_FILENO, UInt(FIONREAD), &waiting) == 0, waiting > 0, isPipe else { return exitIfNobodyReads() }
            exitIfNobodyReads()
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    private static var isPipe: Bool {
        var status = stat()
        return fstat(STDOUT_FILENO, &status) == 0 && status.st_mode & S_IFMT == S_IFIFO
    }

    private static func isReady(_ events: Int32) -> Int32 {
        var output = pollfd(fd: STDOUT_FILENO, events: Int16(events), revents: 0)
        return poll(&output, 1, 0) == 1 ? Int32(output.revents) : 0
    }
}
