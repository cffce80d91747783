import ArgumentParser
import Glibc
import Values

/// Results on standard output.
enum Output {
    /// Ends the program where nobody takes the results, since there is nothing else left to do: without a word when the
    /// reader has enough, as `head` has. Not through Foundation's `FileHandle`, which crashes then.
    static func line(_ text: String) { line(Array(text.utf8)) }

    static func line(_ bytes: [UInt8]) { lines(bytes + [UInt8(ascii: "\n")]) }

    /// The same with whole lines.
    static func lines(_ bytes: [UInt8]) {
        guard let code = write(bytes, to: STDOUT_FILENO) else { return }
        if code == EPIPE { exit(Ending.brokenPipe.rawValue) }
        Ending.complain("the results cannot be written: \(String(cString: strerror(code)))")
        exit(Ending.cannotWrite.rawValue)
    }

    /// Writes all of the bytes, or returns the system's error.
    static func write(_ bytes: [UInt8], to descriptor: Int32) -> Int32? {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count >= 0 {
                rest = rest.dropFirst(count)
            } else if errno == EAGAIN {
                var ready = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                poll(&ready, 1, -1)
            } else if errno != EINTR {
                return errno
            }
        }
        return nil
    }

    /// Opens what the caller has closed: otherwise a connection would get the number, and the results with it.
    static func openStandardStreams() {
        for descriptor in STDIN_FILENO...STDERR_FILENO where fcntl(descriptor, F_GETFD) < 0 { _ = open("/dev/null", O_RDWR) }
    }

    /// Columns padded to their widest cell; numbers to the right.
    static func table(_ header: [String], _ rows: [[String]]) {
        let all = [header] + rows
        let widths = header.indices.map { column in all.map { $0[column].count }.max() ?? 0 }
        for row in all {
            let cells = row.indices.map { column in
                let padding = String(repeating: " ", count: widths[column] - row[column].count)
                let isNumber = column > 0 && rows.allSatisfy { Double($0[column].replacing(",", with: "")) != nil || $0[column] == "-" }
                return isNumber ? padding + row[column] : row[column] + padding
            }
            line(cells.joined(separator: "  ").trimmed)
        }
    }

    /// 1234567 as 1,234,567.
    static func count(_ number: Int64) -> String {
        let digits = String(number.magnitude)
        let grouped = digits.enumerated().map { index, digit in
            index > 0 && (digits.count - index) % 3 == 0 ? ",\(digit)" : String(digit)
        }
        return (number < 0 ? "-" : "") + grouped.joined()
    }
}

extension String {
    fileprivate var trimmed: String { String(self[..<(lastIndex { $0 != " " }.map(index(after:)) ?? startIndex)]) }
}
