import Events
import Foundation

/// One command at a time on a sandbox. The lock is the kernel's, so a command that dies gives it back.
enum SandboxLock {
    private static let patience = Duration.seconds(60)

    /// Runs `body` while nobody else holds the lock.
    ///
    /// - Parameter file: beside the sandbox's directory, not in it: removing a locked file would let two in.
    static func holding<Result>(_ file: URL, _ body: () async throws -> Result) async throws -> Result {
        // Not to be inherited: a server would hold the lock as long as it runs.
        let descriptor = open(file.path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else {
            throw Refusal(.badConfiguration, "\(file.path) cannot be written: \(String(cString: strerror(errno)))")
        }
        defer { close(descriptor) }
        try await poll(for: patience, "another sandbox command is still running") {
            flock(descriptor, LOCK_EX | LOCK_NB) == 0 ? true : nil
        }
        return try await body()
    }
}
