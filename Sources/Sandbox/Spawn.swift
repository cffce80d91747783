import Events
import Foundation

extension ServerProcess {
    /// Starts a program that outlives this one and its shell: in a session of its own, with nothing of ours open.
    ///
    /// It waits at a gate, with the number and start time that it keeps, until it has been recorded; if this program
    /// dies before that, it never starts. So there is no moment at which a server runs that no record names.
    ///
    /// - Parameter log: gets what the program prints, behind what is there.
    /// - Throws: what `record` throws, and then nothing has been started.
    static func spawn(
        _ program: String, _ arguments: [String], log: URL, record: (ServerProcess) throws -> Void
    ) throws {
        var gate: [Int32] = [-1, -1]
        guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0, &gate) == 0 else {
            throw Refusal(.serverUnreachable, "\(program) cannot be started: \(String(cString: strerror(errno)))")
        }
        defer { gate.forEach { close($0) } }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, gate[0], 0)
        posix_spawn_file_actions_addopen(&actions, 1, log.path, O_WRONLY | O_CREAT | O_APPEND, 0o644)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        // A pipe left open in a server that runs for days would keep whoever reads its other end waiting.
        for descriptor in openDescriptors() where descriptor > 2 { posix_spawn_file_actions_addclose(&actions, descriptor) }

        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var all = sigset_t()
        var none = sigset_t()
        sigfillset(&all)
        sigemptyset(&none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setsigmask(&attributes, &none)
        // POSIX_SPAWN_SETSID, a GNU extension that Swift does not import.
        let newSession: Int16 = 0x80
        posix_spawnattr_setflags(&attributes, newSession | Int16(POSIX_SPAWN_SETSIGDEF) | Int16(POSIX_SPAWN_SETSIGMASK))

        let start = ["sh", "-c", #"read -r go && exec "$0" "$@" </dev/null"#, program]
        var words: [UnsafeMutablePointer<CChar>?] = (start + arguments).map { strdup($0) } + [nil]
        defer { words.forEach { free($0) } }
        var pid: pid_t = 0
        let status = posix_spawn(&pid, "/bin/sh", &actions, &attributes, &words, environ)
        guard status == 0 else {
            throw Refusal(.serverUnreachable, "\(program) cannot be started: \(String(cString: strerror(status)))")
        }
        try record(ServerProcess(child: pid))
        // This program holds the other end as well, so nothing breaks if the process is gone already.
        write(gate[1], "\n", 1)
    }

    private static func openDescriptors() -> [Int32] {
        ((try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? []).compactMap { Int32($0) }
    }
}
