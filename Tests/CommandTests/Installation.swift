import EventFixtures
import Fixtures
import Foundation
import MongoStore
import Synchronization
import Testing
import Values

/// One installation on the shared servers, with a database, lists and files of its own, all removed behind it.
final class Installation: Sendable {
    let name = "command_\(UUID().uuidString.prefix(8).lowercased())"
    let directory: URL
    let redis: String
    let mongodb: String
    private let outsider: MongoConnection

    /// This file is Tests/CommandTests/Installation.swift.
    static let root = (0..<3).reduce(URL(filePath: #filePath)) { url, _ in url.deletingLastPathComponent() }.path

    static let program = ProcessInfo.processInfo.environment["MILLRACE_BIN_DEBUG"] ?? "\(root)/.build/debug/millrace"

    static let model = """
        version: 1
        model: product
        stream: product
        fold:
          stockAdjusted: { $inc: { stock: $data.delta } }
          productRenamed: { $set: { name: $data.name } }
          productMeasured: { $set: { measured: $data, at: $occurredAt, version: $schemaVersion } }

        """

    private init() throws {
        func variable(_ name: String) throws -> String {
            guard let value = ProcessInfo.processInfo.environment[name], !value.isEmpty else { throw Failure("\(name) is not set: run scripts/test") }
            return value
        }
        redis = try variable("MILLRACE_REDIS_URL")
        let mongodb = try variable("MILLRACE_MONGODB_URL")
        self.mongodb = mongodb
        guard FileManager.default.isExecutableFile(atPath: Self.program) else { throw Failure("\(Self.program) is not there: run scripts/test") }
        directory = FileManager.default.temporaryDirectory.appending(path: "millrace-\(name)")
        outsider = try Self.connections.withLock { try $0.connection(mongodb) }
    }

    /// Runs `body` with `config/` and `jobs/` in the installation's folder: one stream and the model above, and what
    /// `files` say instead.
    static func run(lease: String = "10s", partitions: Int = 1, _ files: [String: String] = [:], _ body: (Installation) async throws -> Void) async throws {
        let installation = try Installation()
        let settings = """
            version: 1
            lease: \(lease)
            streams:
              product: { list: "\(installation.name):{product}", partitions: \(partitions) }

            """
        let all = ["config/millrace.yaml": settings, "config/models/product.yaml": model, "jobs/drain.yaml": "version: 1\njob: drain\n"]
        for (name, text) in all.merging(files, uniquingKeysWith: { $1 }) { try installation.write(name, text) }
        let result: Result<Void, any Error>
        do {
            result = .success(try await body(installation))
        } catch {
            result = .failure(error)
        }
        try await installation.remove()
        try result.get()
    }

    private func remove() async throws {
        try await drop(name)
        let script = "for _, key in ipairs(redis.call('KEYS', ARGV[1])) do redis.call('UNLINK', key) end"
        _ = try await redis("EVAL", script, "0", "\(name):*")
        try FileManager.default.removeItem(at: directory)
    }

    // MARK: Files

    func write(_ name: String, _ text: String) throws {
        let file = directory.appending(path: name)
        try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: file)
    }

    /// The list that events of a partition are pushed to.
    func list(_ partition: Int = 0) -> String { "\(name):{product\(partition == 0 ? "" : ".\(partition)")}" }

    // MARK: The command

    /// Starts `millrace`, or another program that starts it, in the installation's folder.
    func start(program: String = program, _ arguments: [String], environment: [String: String] = [:], input: String = "") throws -> Child {
        let own = [
            "MILLRACE_REDIS_URL": redis, "MILLRACE_MONGODB_URL": mongodb, "MILLRACE_MONGODB_DATABASE": name, "MILLRACE_HEALTH_LISTEN": "off",
            "MILLRACE_API_LISTEN": "off",
        ]
        return try Child(
            program, arguments, environment: own.merging(environment) { $1 }, directory: directory.path, input: input,
            files: directory.appending(path: "children"))
    }

    func millrace(_ arguments: String..., environment: [String: String] = [:], input: String = "") async throws -> Child.Ended {
        try await start(arguments, environment: environment, input: input).ended()
    }

    /// What `millrace … --json` prints, which must be one document, or with `lines` one a line; and nothing else.
    func json(_ arguments: String..., input: String = "", code: Int32 = 0) async throws -> Document {
        let ended = try await start(arguments + ["--json"], input: input).ended()
        guard ended.code == code else { throw Failure("\(arguments): exit code \(ended.code), \(ended.errors)") }
        guard case .document(let document) = try JSONText.parse(ended.output.trimmingSuffix("\n")).get() else {
            throw Failure("\(arguments): not an object: \(ended.output)")
        }
        return document
    }

    func jsonLines(_ arguments: String...) async throws -> [Document] {
        let ended = try await start(arguments + ["--json"]).ended()
        guard ended.code == 0 else { throw Failure("\(arguments): exit code \(ended.code), \(ended.errors)") }
        return try ended.documents()
    }

    /// Pushes events and drains them.
    func drain(_ events: [EventText]) async throws {
        let pushed = try await millrace("push", "product", input: events.map { $0.json + "\n" }.joined())
        #expect(pushed.code == 0, "\(pushed.errors)")
        let drained = try await millrace("drain", "--once")
        #expect(drained.code == 0, "\(drained.errors)")
    }

    // MARK: The servers

    /// A command of `redis-cli`, and the lines of its reply.
    func redis(_ words: String...) async throws -> [String] {
        let child = try Child(
            "redis-cli", ["-u", redis, "--raw"] + words, environment: [:], directory: directory.path, files: directory.appending(path: "children"))
        let ended = try await child.ended()
        guard ended.code == 0 else { throw Failure("redis-cli \(words): \(ended.errors)") }
        return ended.output.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(String.init)
    }

    @discardableResult
    func command(_ command: Document) async throws -> Document { try await outsider.command(name, command) }

    func drop(_ database: String) async throws { try await outsider.command(database, ["dropDatabase": 1]) }

    /// Stored documents, by a majority.
    func documents(_ collection: String, _ filter: Document = [:]) async throws -> [Document] {
        let reply = try await command([
            "find": .string(collection), "filter": .document(filter), "batchSize": 10_000, "readConcern": ["level": "majority"],
        ])
        return reply["cursor"]?.asDocument?["firstBatch"]?.asArray?.compactMap(\.asDocument) ?? []
    }
}
