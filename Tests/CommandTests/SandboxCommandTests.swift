import Foundation
import Testing
import Values

@Suite(.serialized) struct SandboxCommandTests {
    private static let servers = ["redis", "member-1", "member-2", "member-3"]

    /// A sandbox in a folder of its own, whose servers end with the test, whatever happens.
    private struct Box {
        let parent: URL
        var directory: String { parent.appending(path: "box").path }

        static func run(_ body: (Box) async throws -> Void) async throws {
            let parent = FileManager.default.temporaryDirectory.appending(path: "sandbox-\(UUID().uuidString.prefix(8))")
            try FileManager.default.createDirectory(at: parent, withIntermediateDirectories: true)
            let box = Box(parent: parent)
            let result: Result<Void, any Error>
            do {
                result = .success(try await body(box))
            } catch {
                result = .failure(error)
            }
            _ = try await box.sandbox("down")
            try FileManager.default.removeItem(at: parent)
            try result.get()
        }

        func start(_ arguments: [String]) throws -> Child {
            // From the root, where scripts/setup puts a mongod that the system does not have.
            try Child(
                Installation.program, ["sandbox"] + arguments + ["--dir", directory], environment: [:], directory: Installation.root,
                files: parent.appending(path: "children"))
        }

        func sandbox(_ arguments: String...) async throws -> Child.Ended { try await start(arguments).ended(within: .seconds(90)) }

        /// The servers' processes, in the order of `servers`; nil for one that is not running.
        func pids() async throws -> [Int32?] {
            guard let status = try await sandbox("status", "--json").documents().first else { return [] }
            return status.fields.map { $0.value.number("pid").map { Int32($0) } }
        }
    }

    /// Not of one that has ended and that nobody has waited for.
    private func isRunning(_ pid: Int32) -> Bool {
        guard let stat = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8), let end = stat.lastIndex(of: ")") else { return false }
        return !["Z", "X"].contains(stat[stat.index(after: end)...].split(separator: " ").first ?? "Z")
    }

    @Test func `up, again, from another shell, and down`() async throws {
        try await Box.run { box in
            let none = try await box.sandbox("status")
            #expect(none.code == 1 && none.output.contains("there is no sandbox in \(box.directory)"))

            // Started by a shell that ends.
            let command = "'\(Installation.program)' sandbox up --dir '\(box.directory)'; exit 7"
            let shell = try Child("bash", ["-c", command], environment: [:], directory: Installation.root, files: box.parent.appending(path: "children"))
            let ended = try await shell.ended(within: .seconds(90))
            #expect(ended.code == 7 && ended.errors == "", "\(ended.errors)")
            kill(-shell.pid, SIGKILL)
            let pids = try await box.pids()
            #expect(pids.count == 4 && !pids.contains(nil))
            #expect(try await box.sandbox("status", "--json").documents().first?.fields.map(\.name) == Self.servers)

            // Again, as export lines and as JSON.
            let start = ContinuousClock.now
            let lines = try await box.sandbox("up")
            #expect(ContinuousClock.now - start < .seconds(30))
            #expect(lines.code == 0 && lines.output == ended.output)
            let urls = try #require(try await box.sandbox("up", "--json").documents().first)
            #expect(urls.fields.map(\.name) == ["redis", "mongodb"])
            let (redis, mongodb) = (urls["redis"]?.asString ?? "", urls["mongodb"]?.asString ?? "")
            #expect(lines.output == "export MILLRACE_REDIS_URL='\(redis)'\nexport MILLRACE_MONGODB_URL='\(mongodb)'\n")
            #expect(try await box.pids() == pids)
            let status = try await box.sandbox("status")
            #expect(status.code == 0)
            for server in Self.servers { #expect(status.output.contains("\n\(server) "), "\(status.output)") }

            // One of them dies: that is said, and up brings it back.
            kill(try #require(pids[0]), SIGKILL)
            let dead = try await eventually("the death is seen") { try await box.pids()[0] == nil ? try await box.sandbox("status") : nil }
            #expect(dead.code == 1 && dead.output.contains("not running"))
            #expect(try await box.sandbox("up").output == lines.output)
            let last = try await box.pids()
            #expect(last.dropFirst() == pids.dropFirst() && last[0] != nil)

            #expect(try await box.sandbox("down", "--json").documents() == [["stopped": true]])
            for pid in last.compactMap(\.self) { #expect(!isRunning(pid)) }
            #expect(!FileManager.default.fileExists(atPath: box.directory))
            #expect(try await box.sandbox("status").code == 1)
            let again = try await box.sandbox("down")
            #expect(again.code == 0 && again.output == "" && again.errors == "", "\(again)")
        }
    }

    @Test(arguments: [1, 4])
    func `an up that was killed on the way is taken down`(servers: Int) async throws {
        try await Box.run { box in
            let up = try box.start(["up"])
            let started = try await eventually("\(servers) servers have started") {
                let pids = try await box.pids().compactMap(\.self)
                return pids.count >= servers ? pids : nil
            }
            up.send(SIGKILL)
            _ = try await up.ended()
            let pids = Set(try await box.pids().compactMap(\.self)).union(started)
            let down = try await box.sandbox("down")
            #expect(down.code == 0 && down.errors == "", "\(down.errors)")
            for pid in pids { #expect(!isRunning(pid)) }
            #expect(!FileManager.default.fileExists(atPath: box.directory))
        }
    }
}
