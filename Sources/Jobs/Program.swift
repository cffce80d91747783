import Events
import Foundation
import Synchronization
import Threads

/// A program that was started: in a process group of its own, with nothing of ours open, and not with Foundation's `Process`,
/// whose children inherit the signals that Swift's threads block.
final class Program: Sendable {
    struct Ending: Sendable {
        /// The exit code, or 128 and the number of the signal, as a shell says it.
        var code: Int32
        var lastLines: [String]
    }

    private struct State {
        /// nil when it is over: its number may be somebody else's by then.
        var pid: pid_t?
        var killAt: ContinuousClock.Instant?
        var code: Int32?
    }

    private let state: Mutex<State>
    /// What it says; of a program that prints rows, only what it says on standard error.
    private let output: Int32
    private let rows: Int32?
    private let waiting = Waiting()

    /// How long a program may take to end by itself.
    private static let patience = Duration.seconds(5)
    private static let mostLines = 20
    private static let mostBytes = 16 << 10

    /// Throws a `Refusal` where it cannot be started.
    ///
    /// - Parameter printsRows: its standard output is taken by `block()`, at the pace of whoever takes it.
    init(_ words: [String], environment: [String: String], printsRows: Bool = false) throws {
        let ends = try Self.pipe(for: words[0])
        defer { close(ends.write) }
        let rows = try printsRows ? Self.pipe(for: words[0]) : nil
        defer { if let rows { close(rows.write) } }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, rows?.write ?? ends.write, 1)
        posix_spawn_file_actions_adddup2(&actions, ends.write, 2)
        for descriptor in Self.openDescriptors() where descriptor > 2 { posix_spawn_file_actions_addclose(&actions, descriptor) }

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

        let settings = ProcessInfo.processInfo.environment.merging(environment) { $1 }.map { "\($0)=\($1)" }
        var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
        var variables: [UnsafeMutablePointer<CChar>?] = settings.map { strdup($0) } + [nil]
        defer { (arguments + variables).forEach { free($0) } }
        var pid: pid_t = 0
        let status = posix_spawnp(&pid, words[0], &actions, &attributes, &arguments, &variables)
        guard status == 0 else {
            close(ends.read)
            if let rows { close(rows.read) }
            throw Refusal(.badInput, "\(words[0]) cannot be started: \(String(cString: strerror(status)))")
        }
        output = ends.read
        self.rows = rows?.read
        state = Mutex(State(pid: pid))
    }

    deinit {
        close(output)
        if let rows { close(rows) }
    }

    private static func pipe(for name: String) throws -> (read: Int32, write: Int32) {
        var ends: [Int32] = [0, 0]
        guard Glibc.pipe(&ends) == 0 else { throw Refusal(.badInput, "\(name) cannot be started: \(String(cString: strerror(errno)))") }
        return (ends[0], ends[1])
    }

    /// Asks it to end, with whatever it has started.
    func stop() {
        state.withLock { state in
            guard let pid = state.pid, state.killAt == nil else { return }
            kill(-pid, SIGTERM)
            state.killAt = .now + Self.patience
        }
    }

    /// Waits for its end.
    func ending() async -> Ending { await waiting.wait(for: self) }

    /// The next of what it prints; nil at the end.
    func block() async -> [UInt8]? { await waiting.block(of: self) }

    /// Waits on a thread of its own: the calls block.
    private actor Waiting {
        private let executor = ThreadExecutor(name: "program")
        private var said: [UInt8] = []
        private var isOpen = true
        nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

        func block(of program: Program) -> [UInt8]? {
            guard let rows = program.rows else { return nil }
            while true {
                var ready = [pollfd(fd: rows, events: Int16(POLLIN), revents: 0), pollfd(fd: isOpen ? program.output : -1, events: Int16(POLLIN), revents: 0)]
                guard poll(&ready, 2, 100) > 0 else {
                    // Whatever it has started may keep the pipe open for ever.
                    if program.code() != nil { return nil }
                    continue
                }
                if ready[1].revents != 0 { listen(to: program) }
                guard ready[0].revents != 0 else { continue }
                var buffer = [UInt8](repeating: 0, count: 1 << 16)
                let count = read(rows, &buffer, buffer.count)
                guard count > 0 else { return nil }
                return Array(buffer.prefix(count))
            }
        }

        private func listen(to program: Program) {
            var buffer = [UInt8](repeating: 0, count: 4096)
            let count = read(program.output, &buffer, buffer.count)
            isOpen = count > 0
            said += buffer.prefix(max(0, count))
            said = Array(said.suffix(Program.mostBytes))
        }

        func wait(for program: Program) -> Ending {
            while true {
                let code = program.code()
                // What it has said before it ended is in the pipe, which whatever it has started may keep open for ever.
                while isOpen, program.hasOutput(within: code == nil ? 100 : 0) {
                    listen(to: program)
                    if code == nil { break }
                }
                if let code { return Ending(code: code, lastLines: Program.lastLines(of: said)) }
                if !isOpen { usleep(20_000) }
            }
        }
    }

    private func hasOutput(within milliseconds: Int32) -> Bool {
        var ready = pollfd(fd: output, events: Int16(POLLIN), revents: 0)
        return poll(&ready, 1, milliseconds) > 0
    }

    /// How it ended; nil while it runs.
    private func code() -> Int32? {
        state.withLock { state in
            guard let pid = state.pid else { return state.code }
            if let killAt = state.killAt, ContinuousClock.now >= killAt { kill(-pid, SIGKILL) }
            var status: Int32 = 0
            guard waitpid(pid, &status, WNOHANG) == pid else { return nil }
            // What it has started in turn ends with it, if it was told to.
            if state.killAt != nil { kill(-pid, SIGKILL) }
            state.pid = nil
            state.code = status & 0x7f == 0 ? status >> 8 & 0xff : 128 + status & 0x7f
            return state.code
        }
    }

    private static func lastLines(of bytes: [UInt8]) -> [String] {
        let text = String(decoding: bytes, as: UTF8.self).replacing("\0", with: "\u{fffd}")
        return text.split(separator: "\n", omittingEmptySubsequences: true).suffix(mostLines).map(String.init)
    }

    private static func openDescriptors() -> [Int32] {
        ((try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? []).compactMap { Int32($0) }
    }
}
