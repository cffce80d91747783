import Events
import Foundation

// What tests do to single servers.
extension Sandbox {
    /// nil for one that is not running.
    public func pid(of server: Server) throws -> Int32? {
        try status()?.first { $0.server == server }?.pid
    }

    public func port(of server: Server) throws -> Int? {
        try status()?.first { $0.server == server }?.port
    }

    /// Where a server keeps its files: to put an older state back while it is not running.
    public func files(of server: Server) -> String { dataDirectory(server).path }

    /// Starts a server again, on its port and with its data, and waits until it answers. One that is running is stopped
    /// first. A member that answers may not have caught up yet.
    public func restart(_ server: Server) async throws {
        try await SandboxLock.holding(lockFile) {
            guard var state = try SandboxState.read(stateFile) else {
                throw Refusal(.badInput, "there is no sandbox in \(directory.path)")
            }
            if let process = state[server].process { try await Self.stop([process]) }
            try await start([server], &state)
        }
    }

    /// The member that is primary; nil while there is none.
    public func primary() async throws -> Server? {
        guard let state = try SandboxState.read(stateFile) else { return nil }
        return try await ReplicaSet(ports: Server.members.map { state[$0].port }).primary().map { Server.members[$0] }
    }

    /// Waits until the set has a primary and two secondaries.
    public func waitUntilComplete() async throws {
        guard let state = try SandboxState.read(stateFile) else { return }
        try await ReplicaSet(ports: Server.members.map { state[$0].port }).waitUntilComplete()
    }
}
