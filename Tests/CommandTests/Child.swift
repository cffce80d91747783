import Foundation
import Synchronization

/// A program that a test has started. It is killed when nobody keeps this any more.
final class Child: Sendable {
    /// How it ended, and what it said.
    struct Ended: Sendable {
        /// The exit code, or 128 and the number of the signal, as a shell says it.
        var code: Int32
        var output: String
        var errors: String
    }

    let pid: pid_t
    private let name: String
    private let files: URL
    private let status = Mutex<Int32?>(nil)

    /// - Parameters:
    ///   - environment: on top of this process's; an empty value counts as unset for Millrace.
    ///   - files: a folder in which what it reads and says is kept as long as this is. Not pipes: one that nobody reads would stop
    ///     the program.
    init(_ program: String, _ arguments: [String], environment: [String: String], directory: String, input: String = "", files: URL) throws {
        name = "\(URL(filePath: program).lastPathComponent) \(arguments.joined(separator: " "))"
        self.files = files.appending(path: UUID().uuidString)
        try FileManager.default.createDirectory(at: self.files, withIntermediateDirectories: true)
        try Data(input.utf8).write(to: self.files.appending(path: "input"))

        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, self.files.appending(path: "input").path, O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, self.files.appending(path: "output").path, O_WRONLY | O_CREAT, 0o644)
        posix_spawn_file_actions_addopen(&actions, 2, self.files.appending(path: "errors").path, O_WRONLY | O_CREAT, 0o644)

        // The threads that run tests block signals, which a child would inherit. A group of its own can be ended whole.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var all = sigset_t()
        var none = sigset_t()
        sigfillset(&all)
        sigemptyset(&none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setpgroup(&attributes, 0)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP))

        let merged = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        var words: [UnsafeMutablePointer<CChar>?] = (["env", "-C", directory, program] + arguments).map { strdup($0) } + [nil]
        var settings: [UnsafeMutablePointer<CChar>?] = merged.map { strdup("\($0)=\($1)") } + [nil]
        defer { for pointer in words + settings { free(pointer) } }
        var pid: pid_t = 0
        // `env` goes to the directory and becomes the program: to spawn with a directory is a GNU extension, which Swift does
        // not import.
        let code = posix_spawnp(&pid, "env", &actions, &attributes, &words, &settings)
        guard code == 0 else { throw Failure("\(program) cannot be started: \(String(cString: strerror(code)))") }
        self.pid = pid
    }

    deinit {
        kill(-pid, SIGKILL)
        if poll() == nil { waitpid(pid, nil, 0) }
        try? FileManager.default.removeItem(at: files)
    }

    /// Sends a signal unless the program has been waited for: its number could be somebody else's by then.
    func send(_ signal: Int32) {
        status.withLock { status in
            if status == nil { kill(pid, signal) }
        }
    }

    var isRunning: Bool { poll() == nil }

    /// Whether SIGSTOP has taken effect.
    var isFrozen: Bool {
        guard let text = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8), let name = text.lastIndex(of: ")") else { return false }
        return text[text.index(after: name)...].split(separator: " ").first == "T"
    }

    /// What the kernel says of its threads whose names begin so: their `stat` from the third field on (proc(5)).
    func threads(named prefix: String) throws -> [[Substring]] {
        let folder = "/proc/\(pid)/task"
        return try FileManager.default.contentsOfDirectory(atPath: folder).compactMap { thread in
            // One that has ended meanwhile is none.
            guard let text = try? String(contentsOfFile: "\(folder)/\(thread)/stat", encoding: .utf8), let end = text.lastIndex(of: ")"),
                text.drop(while: { $0 != "(" }).dropFirst().hasPrefix(prefix)
            else { return nil }
            return text[text.index(after: end)...].split(separator: " ")
        }
    }

    /// What it has said so far.
    var output: String { text("output") }
    var errors: String {
        // libmongoc says so before anybody can keep it from it, where a process of the same number was killed.
        text("errors").split(separator: "\n", omittingEmptySubsequences: false).filter { !$0.hasSuffix("Falling back to malloc for counters.") }
            .joined(separator: "\n")
    }

    /// Waits for the end; a program that takes longer is killed, and the test fails.
    func ended(within limit: Duration = .seconds(60)) async throws -> Ended {
        do {
            let status = try await eventually(within: limit, "\(name) has ended") { poll() }
            return Ended(code: status & 0x7f == 0 ? status >> 8 & 0xff : 128 + status & 0x7f, output: output, errors: errors)
        } catch {
            kill(-pid, SIGKILL)
            throw Failure("\(error); it was killed; it had said: \(output.suffix(1000)) \(errors.suffix(2000))")
        }
    }

    private func text(_ file: String) -> String { (try? String(contentsOf: files.appending(path: file), encoding: .utf8)) ?? "" }

    private func poll() -> Int32? {
        status.withLock { status in
            if let status { return status }
            var found: Int32 = 0
            guard waitpid(pid, &found, WNOHANG) == pid else { return nil }
            status = found
            return found
        }
    }
}

/// What a test waited for did not happen, or something it needs did not work.
struct Failure: Error, CustomStringConvertible {
    var description: String

    init(_ description: String) { self.description = description }
}

/// Asks until there is an answer.
func eventually<Answer>(
    within limit: Duration = .seconds(120), _ what: @autoclosure () -> String, _ probe: () async throws -> Answer?
) async throws -> Answer {
    let deadline = ContinuousClock.now + limit
    while true {
        if let answer = try await probe() { return answer }
        guard ContinuousClock.now < deadline else { throw Failure("not within \(limit): \(what())") }
        try await Task.sleep(for: .milliseconds(10))
    }
}
