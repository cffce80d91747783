import Events
import Foundation
import Synchronization
import Testing

/// A process of a test. It is killed when nobody keeps this any more.
final class Child: Sendable {
    /// How a process ended, and what it said.
    struct Ended: Sendable {
        enum Cause: Hashable, Sendable {
            case exit(Int32)
            case signal(Int32)
        }

        var cause: Cause
        var output: String
        var errors: String

        /// For messages: the end of what it complained about.
        var summary: String { "\(cause): \(errors.suffix(2000))" }
    }

    let pid: pid_t
    private let name: String
    /// Standard output and standard error go to files: a pipe that nobody reads would stop the process.
    let output: URL
    private let errors: URL
    private let status = Mutex<Int32?>(nil)

    /// - Parameter environment: on top of this process's.
    init(_ program: String, _ arguments: [String], environment: [String: String] = [:], files: URL) throws {
        name = "\(URL(filePath: program).lastPathComponent) \(arguments.joined(separator: " "))"
        let stem = UUID().uuidString.prefix(8).lowercased()
        output = files.appending(path: "\(stem).out")
        errors = files.appending(path: "\(stem).err")

        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, output.path, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
        posix_spawn_file_actions_addopen(&actions, 2, errors.path, O_WRONLY | O_CREAT | O_TRUNC, 0o644)

        // The threads that run tests block signals, which a child would inherit.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var all = sigset_t()
        var none = sigset_t()
        sigfillset(&all)
        sigemptyset(&none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF) | Int16(POSIX_SPAWN_SETSIGMASK))

        let merged = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        var words: [UnsafeMutablePointer<CChar>?] = ([program] + arguments).map { strdup($0) } + [nil]
        var settings: [UnsafeMutablePointer<CChar>?] = merged.map { strdup("\($0)=\($1)") } + [nil]
        defer { for pointer in words + settings { free(pointer) } }
        var pid: pid_t = 0
        let code = posix_spawn(&pid, program, &actions, &attributes, &words, &settings)
        guard code == 0 else { throw Failure("\(program) cannot be started: \(String(cString: strerror(code)))") }
        self.pid = pid
    }

    deinit {
        if poll() == nil {
            kill(pid, SIGKILL)
            waitpid(pid, nil, 0)
        }
    }

    /// Sends a signal unless the process has been waited for: its number could be somebody else's by then.
    func send(_ signal: Int32) {
        status.withLock { status in
            if status == nil { kill(pid, signal) }
        }
    }

    var isRunning: Bool { poll() == nil }

    /// Whether SIGSTOP has taken effect.
    var isFrozen: Bool { Self.isFrozen(pid) }

    static func isFrozen(_ pid: pid_t) -> Bool { state(of: pid) == "T" }

    /// What the process has said so far.
    var log: String { (try? String(contentsOf: errors, encoding: .utf8)) ?? "" }

    /// The most memory it has had. Read while it runs: `ru_maxrss` would begin with what the test runner had.
    var peakMemory: ByteCount? {
        let status = try? String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)
        let line = status?.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
        return line?.split(whereSeparator: { $0 == " " || $0 == "\t" }).dropFirst().first.flatMap { Int($0) }.map { ByteCount($0 << 10) }
    }

    /// Waits for the end; a process that takes longer is killed.
    func ended(within limit: Duration = .seconds(60)) async throws -> Ended {
        let status: Int32
        do {
            status = try await eventually(within: limit, "\(name) has ended") { poll() }
        } catch {
            send(SIGKILL)
            throw Failure("\(error); it was killed; it had said: \(log.suffix(2000))")
        }
        let code = status & 0x7f
        return Ended(
            cause: code == 0 ? .exit(status >> 8 & 0xff) : .signal(code),
            output: (try? String(contentsOf: output, encoding: .utf8)) ?? "", errors: log
        )
    }

    /// SIGTERM, and the end.
    func stop(within limit: Duration = .seconds(15)) async throws -> Ended {
        send(SIGTERM)
        return try await ended(within: limit)
    }

    /// Whether this service drains, or did before it ended.
    var hasBegun: Bool { log.contains("draining") }

    /// SIGTERM to a service that has begun, which must end with 0.
    func expectStop(_ comment: @autoclosure () -> String = "", sourceLocation: SourceLocation = #_sourceLocation) async throws {
        // In its first milliseconds a process does not listen yet, and simply dies.
        try await until("\(name) has begun") { hasBegun || !isRunning }
        let ended = try await stop()
        #expect(ended.cause == .exit(0), "\(comment()) \(ended.summary)", sourceLocation: sourceLocation)
    }

    private func poll() -> Int32? {
        status.withLock { status in
            if let status { return status }
            var found: Int32 = 0
            guard waitpid(pid, &found, WNOHANG) == pid else { return nil }
            status = found
            // What libmongoc counts into is in shared memory, which a killed process leaves behind; the next one with its
            // number would say so on standard error.
            unlink("/dev/shm/mongoc-\(pid)")
            return found
        }
    }

    private static func state(of pid: pid_t) -> Substring? {
        guard let text = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8), let end = text.lastIndex(of: ")") else { return nil }
        return text[text.index(after: end)...].split(separator: " ").first
    }
}
