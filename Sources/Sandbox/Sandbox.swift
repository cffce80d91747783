import Events
import Foundation

/// A private Redis and a replica set of three MongoDB members on loopback, for trying out and for tests. They outlive
/// the program that starts them; what is running is kept in `sandbox.json`.
public struct Sandbox: Sendable {
    public static let defaultDirectory = ".local/sandbox"
    /// Between asking a server to stop and making it.
    private static let grace = Duration.seconds(10)

    let directory: URL

    /// - Parameter directory: everything of this sandbox is in it; a lock lies beside it.
    public init(directory: String = Sandbox.defaultDirectory) {
        self.directory = URL(filePath: directory, directoryHint: .isDirectory).standardizedFileURL
    }

    /// Starts what is not running, on the same ports and with its data if it ran before, and waits until all of it can
    /// be used.
    ///
    /// - Parameter options: for a new sandbox; one that exists keeps its own.
    /// - Throws: a `Refusal` for a server that is not installed or does not start.
    @discardableResult
    public func up(_ options: Options = Options()) async throws -> Endpoints {
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        return try await SandboxLock.holding(lockFile) {
            var state = try SandboxState.read(stateFile) ?? SandboxState(options: options)
            try await start(Server.allCases.filter { state[$0].process?.isRunning != true }, &state)
            let replicaSet = try ReplicaSet(ports: Server.members.map { state[$0].port })
            if !state.isInitiated {
                try await replicaSet.initiate(state.options)
                state.isInitiated = true
                try state.write(stateFile)
            }
            try await replicaSet.waitUntilComplete()
            return endpoints(state)
        }
    }

    /// Stops exactly what was started here and removes its data.
    public func down() async throws {
        guard FileManager.default.fileExists(atPath: directory.path) else { return }
        try await SandboxLock.holding(lockFile) {
            // By name, and the state last: a directory given by mistake keeps what else is in it, and an interrupted
            // `down` can be repeated.
            try? FileManager.default.removeItem(at: SandboxState.draft(of: stateFile))
            if let state = try SandboxState.read(stateFile) {
                try await Self.stop(Server.allCases.compactMap { state[$0].process })
                for server in Server.allCases {
                    try? FileManager.default.removeItem(at: dataDirectory(server))
                    try? FileManager.default.removeItem(at: logFile(server))
                }
                try FileManager.default.removeItem(at: stateFile)
            }
            // Only an empty one goes.
            rmdir(directory.path)
        }
    }

    /// What there is; nil where there is no sandbox.
    public func status() throws -> [ServerStatus]? {
        guard let state = try SandboxState.read(stateFile) else { return nil }
        return Server.allCases.map { server in
            let process = state[server].process.flatMap { $0.isRunning ? $0 : nil }
            return ServerStatus(server: server, port: state[server].port, pid: process?.pid)
        }
    }

    /// The URLs, whether or not everything is running; nil where there is no sandbox.
    public func endpoints() throws -> Endpoints? {
        try SandboxState.read(stateFile).map(endpoints)
    }

    private func endpoints(_ state: SandboxState) -> Endpoints {
        Endpoints(
            redis: "redis://127.0.0.1:\(state[.redis].port)",
            mongodb: ReplicaSet.url(ports: state.options.announcedPorts ?? Server.members.map { state[$0].port })
        )
    }

    static func stop(_ processes: [ServerProcess]) async throws {
        for process in processes {
            process.send(SIGTERM)
            // A process that somebody has frozen is asked in vain.
            process.send(SIGCONT)
        }
        _ = try? await poll(for: grace, "running") { processes.contains(where: \.isRunning) ? nil : true }
        for process in processes { process.send(SIGKILL) }
        try await poll(for: grace, "a server cannot be stopped") { processes.contains(where: \.isRunning) ? nil : true }
    }

    var stateFile: URL { directory.appending(path: "sandbox.json") }
    var lockFile: URL { directory.deletingLastPathComponent().appending(path: directory.lastPathComponent + ".lock") }
    func dataDirectory(_ server: Server) -> URL { directory.appending(path: server.rawValue) }
    func logFile(_ server: Server) -> URL { directory.appending(path: server.rawValue + ".log") }
}
