import Events
import Foundation
import MongoStore
import Projector
import RedisAddress
import RedisBuffer
import Testing
import Values

@testable import Sandbox

/// On real servers, one sandbox at a time.
@Suite(.serialized) struct SandboxTests {
    private func withSandbox(_ body: (Sandbox) async throws -> Void) async throws {
        let parent = FileManager.default.temporaryDirectory.appending(path: "sandbox-\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(at: parent, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: parent) }
        let sandbox = Sandbox(directory: parent.appending(path: "box").path)
        do {
            try await body(sandbox)
        } catch {
            try? await sandbox.down()
            throw error
        }
        try await sandbox.down()
    }

    /// By SIGKILL: Foundation's children inherit the signal mask of the thread that starts them, and the threads of
    /// Swift's pool block SIGTERM.
    private func end(_ process: Process) {
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }

    private func pids(_ sandbox: Sandbox) throws -> [Int32?] { try sandbox.status()?.map(\.pid) ?? [] }

    @Test func `up, twice, after deaths, and down`() async throws {
        try await withSandbox { sandbox in
            #expect(try sandbox.status() == nil)
            let endpoints = try await sandbox.up()
            let first = try pids(sandbox)
            #expect(first.count == 4 && !first.contains(nil))
            for pid in first.compactMap(\.self) { #expect(getsid(pid) == pid, "in the session of whoever started it") }

            // Both at once, and nothing changes.
            async let again = sandbox.up()
            async let andAgain = sandbox.up()
            #expect(try await [again, andAgain] == [endpoints, endpoints])
            #expect(try pids(sandbox) == first)

            let mongo = try MongoConnection(url: endpoints.mongodb, name: "test")
            let history = try await mongo.command("admin", ["getParameter": 1, "minSnapshotHistoryWindowInSeconds": 1])
            #expect(history["minSnapshotHistoryWindowInSeconds"]?.asInteger == 5)
            try await mongo.command("test", ["insert": "kept", "documents": [["_id": 1]], "writeConcern": ["w": "majority"]])
            let redis = try RedisBuffer(
                url: RedisURL(endpoints.redis), list: "l", installation: "here", maxEventBytes: .mebibytes(1))
            try await redis.push([Array("kept".utf8)])
            try await Task.sleep(for: .milliseconds(1100))  // appendfsync everysec
            for pid in first.compactMap(\.self) { kill(pid, SIGKILL) }
            for _ in 0..<100 where try pids(sandbox).contains(where: { $0 != nil }) { try await Task.sleep(for: .milliseconds(20)) }
            #expect(try pids(sandbox) == [nil, nil, nil, nil])

            #expect(try await sandbox.up() == endpoints)
            #expect(try await mongo.command("test", ["count": "kept"])["n"]?.asInteger == 1)
            _ = try? await redis.waiting()  // the connection of before
            #expect(try await redis.waiting().waiting == 1)

            let last = try pids(sandbox).compactMap(\.self)
            try await sandbox.down()
            for pid in last { #expect(kill(pid, 0) != 0) }
            #expect(!FileManager.default.fileExists(atPath: sandbox.directory.path))
            #expect(try sandbox.status() == nil)
            try await sandbox.down()
        }
    }

    @Test func `single servers are killed, frozen and restarted`() async throws {
        try await withSandbox { sandbox in
            try await sandbox.up(Sandbox.Options(appendfsync: .always, electionTimeoutMilliseconds: 1000))
            let redis = try #require(try sandbox.pid(of: .redis))
            kill(redis, SIGKILL)
            try await sandbox.restart(.redis)
            #expect(try sandbox.pid(of: .redis) != redis)
            let url = try RedisURL("redis://127.0.0.1:\(try #require(try sandbox.port(of: .redis)))")
            #expect(try await RedisServer(url: url).inspect().warnings.isEmpty)

            let primary = try #require(try await sandbox.primary())
            kill(try #require(try sandbox.pid(of: primary)), SIGKILL)
            try await poll(for: .seconds(20), "no other primary") {
                try await sandbox.primary().flatMap { $0 == primary ? nil : $0 }
            }
            try await sandbox.restart(primary)
            try await sandbox.waitUntilComplete()

            // `down` must not wait for ever for one that cannot hear it.
            kill(try #require(try sandbox.pid(of: .member2)), SIGSTOP)
        }
    }

    @Test func `down stops only what was started here, and removes only what is its own`() async throws {
        try await withSandbox { sandbox in
            try FileManager.default.createDirectory(at: sandbox.directory, withIntermediateDirectories: true)
            let other = Process()
            other.executableURL = URL(filePath: "/bin/sleep")
            other.arguments = ["100"]
            try other.run()
            defer { end(other) }
            // As if the number had been used again since.
            var process = ServerProcess(child: other.processIdentifier)
            #expect(process.isRunning)
            process.startTime -= 1
            var state = try SandboxState(options: Sandbox.Options())
            state[.redis].process = process
            try state.write(sandbox.stateFile)
            let foreign = sandbox.directory.appending(path: "foreign")
            try Data().write(to: foreign)

            try await sandbox.down()
            #expect(other.isRunning)
            #expect(FileManager.default.fileExists(atPath: foreign.path))
            #expect(!FileManager.default.fileExists(atPath: sandbox.stateFile.path))
        }
    }

    @Test func `down cleans up after an up that was interrupted`() async throws {
        try await withSandbox { sandbox in
            let up = Task { try await sandbox.up() }
            try await poll(for: .seconds(20), "nothing started") { try pids(sandbox).compactMap(\.self).count >= 2 ? true : nil }
            up.cancel()
            await #expect(throws: (any Error).self) { try await up.value }
            let started = try pids(sandbox).compactMap(\.self)
            #expect(started.count >= 2)
            try await sandbox.down()
            for pid in started { #expect(kill(pid, 0) != 0) }
        }
    }

    @Test(arguments: [[], ["sandbox.json.draft"], ["sandbox.json", "sandbox.json.draft"]])
    func `down removes what an up left that was killed while it wrote`(files: [String]) async throws {
        try await withSandbox { sandbox in
            try FileManager.default.createDirectory(at: sandbox.directory, withIntermediateDirectories: true)
            for file in files { try SandboxState(options: Sandbox.Options()).write(sandbox.directory.appending(path: file)) }
            try await sandbox.down()
            #expect(!FileManager.default.fileExists(atPath: sandbox.directory.path))
        }
    }

    @Test func `a server that could not be recorded never starts`() async throws {
        try await withSandbox { sandbox in
            try FileManager.default.createDirectory(at: sandbox.directory, withIntermediateDirectories: true)
            let started = sandbox.directory.appending(path: "started")
            var process: ServerProcess?
            func spawn(failing: Bool) throws {
                try ServerProcess.spawn("/usr/bin/touch", [started.path], log: sandbox.logFile(.redis)) {
                    process = $0
                    if failing { throw CancellationError() }
                }
            }
            #expect(throws: CancellationError.self) { try spawn(failing: true) }
            try await poll(for: .seconds(20), "still there") { process?.isRunning == true ? nil : true }
            #expect(!FileManager.default.fileExists(atPath: started.path))
            try spawn(failing: false)
            try await poll(for: .seconds(20), "still there") { process?.isRunning == true ? nil : true }
            #expect(FileManager.default.fileExists(atPath: started.path))
            try [started, sandbox.logFile(.redis)].forEach(FileManager.default.removeItem)
        }
    }

    @Test func `a port that was taken meanwhile is given up for another`() async throws {
        try await withSandbox { sandbox in
            try FileManager.default.createDirectory(at: sandbox.directory, withIntermediateDirectories: true)
            let process = Process()
            process.executableURL = URL(filePath: "/usr/bin/env")
            let port = try Port.free()
            process.arguments = ["redis-server", "--port", "\(port)", "--bind", "127.0.0.1", "--save", ""]
            process.standardOutput = FileHandle.nullDevice
            process.standardError = FileHandle.nullDevice
            try process.run()
            defer { end(process) }
            try await poll(for: .seconds(5), "no redis") { Port.isFree(port) ? nil : true }
            var state = try SandboxState(options: Sandbox.Options())
            state[.redis].port = port
            try state.write(sandbox.stateFile)
            let endpoints = try await sandbox.up()
            #expect(!endpoints.redis.hasSuffix(":\(port)"))
            #expect(process.isRunning)
        }
    }

    @Test func `a server that is not installed is named with the remedy`() throws {
        let refusal = #expect(throws: Refusal.self) { try Binary.find("mongod-of-nowhere", variable: "MILLRACE_NOWHERE") }
        #expect(refusal?.message.contains("scripts/setup") == true)
    }

    @Test func `a damaged state is not guessed at`() async throws {
        try await withSandbox { sandbox in
            try FileManager.default.createDirectory(at: sandbox.directory, withIntermediateDirectories: true)
            try Data("{".utf8).write(to: sandbox.stateFile)
            await #expect(throws: Refusal.self) { try await sandbox.down() }
            try FileManager.default.removeItem(at: sandbox.stateFile)
        }
    }
}
