import Foundation

/// A process that this sandbox started. Its start time goes with its number, because numbers are used again and a
/// sandbox must never stop a process of somebody else.
struct ServerProcess: Codable, Hashable, Sendable {
    var pid: pid_t
    /// In clock ticks since the machine's start: field 22 of `/proc/PID/stat`.
    var startTime: UInt64

    /// - Parameter pid: of a child that has just been started.
    init(child pid: pid_t) {
        self.pid = pid
        // 0 matches no process, should this one be gone already.
        startTime = Self.stat(pid)?.startTime ?? 0
    }

    var isRunning: Bool {
        guard let stat = Self.stat(pid), stat.startTime == startTime else { return false }
        guard stat.state == "Z" || stat.state == "X" else { return true }
        // The first thread has ended. Others may still be on their way out, with the ports and files; after them, a
        // child of this very program stays as a zombie until it is waited for.
        let threads = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/task"))?.count ?? 0
        return threads > 1 || waitpid(pid, nil, WNOHANG) == 0
    }

    func send(_ signal: Int32) {
        if isRunning { kill(pid, signal) }
    }

    private static func stat(_ pid: pid_t) -> (state: Substring, startTime: UInt64)? {
        guard let text = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8), let end = text.lastIndex(of: ")")
        else { return nil }
        // The second field is the program's name in parentheses, which may hold anything. After it comes field 3.
        let fields = text[text.index(after: end)...].split(separator: " ")
        guard fields.count > 19, let startTime = UInt64(fields[19]) else { return nil }
        return (fields[0], startTime)
    }
}
