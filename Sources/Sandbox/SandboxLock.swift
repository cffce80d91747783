import Events
import Foundation

/// One command at a time on a sandbox. The lock is the kernel's, so a command that dies gives it back.
final class SandboxLock {
    private static let patience = Duration.seconds(60)

    private let descriptor: Int32

    private init(descriptor: Int32) { self.descriptor = descriptor }

    deinit { close(descriptor) }

    /// - Parameter file: beside the sandbox's directory, not in it: removing a locked file would let two in.
    static func acquire(_ file: URL) async throws -> SandboxLock {
        // Not to be inherited: a server would hold the lock as long as it runs.
        let descriptor = open(file.path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else {
            throw Refusal(.badConfiguration, "\(file.path) cannot be written: \(String(cString: strerror(errno)))")
        }
        let lock = SandboxLock(descriptor: descriptor)
        try await poll(for: patience, "another sandbox command is still running") {
            flock(descriptor, LOCK_EX | LOCK_NB) == 0 ? true : nil
        }
        return lock
    }
}
