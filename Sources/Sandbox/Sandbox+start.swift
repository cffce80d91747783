import Events
import Foundation
import RedisAddress
import RedisBuffer

extension Sandbox {
    private static let patience = Duration.seconds(60)
    /// How often a port that was free is found taken.
    private static let attempts = 5

    /// Starts servers and waits until each answers. A new sandbox's server whose port was taken meanwhile gets another.
    func start(_ servers: [Server], _ state: inout SandboxState) async throws {
        // All of them before the first is started.
        let programs = try servers.map(program)
        for attempt in 1...Self.attempts {
            for (server, program) in zip(servers, programs) where state[server].process?.isRunning != true {
                try await findPort(server, &state)
                try launch(server, program, &state)
            }
            do {
                for server in servers { try await waitUntilAnswering(server, state) }
                return
            } catch is LostPort where attempt < Self.attempts {
                continue
            }
        }
    }

    /// Thrown where a server ended because somebody else listens on its port.
    private struct LostPort: Error, CustomStringConvertible {
        var port: Int

        var description: String { "port \(port) is in use" }
    }

    private func findPort(_ server: Server, _ state: inout SandboxState) async throws {
        let port = state[server].port
        if state.isInitiated {
            try await poll(for: .seconds(10), "port \(port) of \(server.rawValue) is in use by another program") {
                Port.isFree(port) ? true : nil
            }
        } else if !Port.isFree(port) {
            state[server].port = try Port.free()
        }
    }

    private func program(_ server: Server) throws -> String {
        switch server {
        case .redis: try Binary.find("redis-server", variable: "MILLRACE_REDIS_SERVER")
        case .member1, .member2, .member3: try Binary.find("mongod", variable: "MILLRACE_MONGOD")
        }
    }

    private func launch(_ server: Server, _ program: String, _ state: inout SandboxState) throws {
        let data = dataDirectory(server)
        try FileManager.default.createDirectory(at: data, withIntermediateDirectories: true)
        let arguments =
            switch server {
            case .redis: redisArguments(port: state[server].port, data: data, state.options)
            case .member1, .member2, .member3: memberArguments(port: state[server].port, data: data)
            }
        try ServerProcess.spawn(program, arguments, log: logFile(server)) { process in
            // With its port, and before it runs: `down` must find everything.
            state[server].process = process
            try state.write(stateFile)
        }
    }

    private func redisArguments(port: Int, data: URL, _ options: Options) -> [String] {
        [
            "--bind", "127.0.0.1", "--port", "\(port)", "--dir", data.path,
            "--appendonly", "yes", "--appendfsync", options.appendfsync.rawValue, "--save", "",
            "--maxmemory", "2gb", "--maxmemory-policy", "noeviction", "--enable-debug-command", "local",
        ]
    }

    private func memberArguments(port: Int, data: URL) -> [String] {
        [
            "--replSet", ReplicaSet.name, "--bind_ip", "127.0.0.1", "--port", "\(port)", "--dbpath", data.path,
            // Below this, the cache of a busy test thrashes.
            "--wiredTigerCacheSizeGB", "1",
            // A socket file in /tmp would be left behind by a killed server.
            "--nounixsocket",
            // As the README advises: five minutes of it, which is the default, slow down whoever writes the same documents again
            // and again.
            "--setParameter", "minSnapshotHistoryWindowInSeconds=5",
            "--setParameter", "enableTestCommands=1",
            // Nobody reads what it collects.
            "--setParameter", "diagnosticDataCollectionEnabled=false",
            // `down` need not wait until the clients have gone.
            "--setParameter", "shutdownTimeoutMillisForSignaledShutdown=100",
        ]
    }

    private func waitUntilAnswering(_ server: Server, _ state: SandboxState) async throws {
        let port = state[server].port
        let redis = try server == .redis ? RedisServer(url: RedisURL("redis://127.0.0.1:\(port)"), timeout: .seconds(1)) : nil
        let member = try server == .redis ? nil : ReplicaSet(ports: [port])
        try await poll(for: Self.patience, "\(server.rawValue) does not answer; see \(logFile(server).path)") {
            let answers: Bool
            if let redis { answers = await (try? redis.ping()) != nil } else { answers = await member?.answers(0) ?? false }
            // Asked last: an answer can be of another server, for which ours has ended.
            guard state[server].process?.isRunning == true else {
                if !Port.isFree(port) { throw LostPort(port: port) }
                throw Refusal(.serverUnreachable, "\(server.rawValue) has ended: \(lastLines(of: logFile(server)))")
            }
            return answers ? true : nil
        }
    }

    private func lastLines(of log: URL) -> String {
        let lines = ((try? String(contentsOf: log, encoding: .utf8)) ?? "").split(separator: "\n").suffix(3)
        return lines.map { $0.prefix(300) }.joined(separator: " | ") + " (\(log.path))"
    }
}
