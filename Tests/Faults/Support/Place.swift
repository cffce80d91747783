import Events
import Foundation
import RedisAddress
import RedisBuffer
import Values

/// One test's own part of the servers: a configuration with a database and lists of its own, so that tests share a
/// sandbox without meeting.
struct Place: Sendable {
    struct Stream: Sendable {
        var name = "trace"
        var partitions = 1
        /// Further settings in YAML.
        var settings: [String] = []
        var model = Model.trace
        /// Names of models that fold it, all in the same way.
        var models = ["trace"]
    }

    /// A model that the oracle knows the rules of.
    enum Model: String, Sendable {
        case trace
        case rows
        case commerce

        var file: String {
            switch self {
            case .trace: "Tests/Faults/config/models/trace.yaml"
            case .rows: "Tests/Faults/config/models/row.yaml"
            case .commerce: "bench/config/models/product.yaml"
            }
        }
    }

    let servers: Servers
    let database: String
    let directory: URL
    let streams: [Stream]
    let redis: RedisProbe
    let mongo: MongoProbe
    private let tag: String
    private let lease: String

    /// Runs `body` in a new place, and removes what it stored unless it throws.
    static func with(
        _ streams: [Stream] = [Stream()], on servers: Servers? = nil, lease: String = "2s", every: String = "1s", _ body: (Place) async throws -> Void
    ) async throws {
        let servers = if let servers { servers } else { try await Servers.shared() }
        let place = try Place(servers, streams, lease: lease, every: every)
        do {
            try await body(place)
        } catch {
            throw Failure("\(error) (the files are kept in \(place.directory.path), the database is \(place.database))")
        }
        try await place.remove()
    }

    private init(_ servers: Servers, _ streams: [Stream], lease: String, every: String) throws {
        self.servers = servers
        self.streams = streams
        self.lease = lease
        directory = try Root.temporaryDirectory("place")
        tag = UUID().uuidString.prefix(8).lowercased()
        database = "faults-\(tag)"
        redis = try RedisProbe(url: servers.redis)
        mongo = try MongoProbe(url: servers.mongodb, database: database)
        try write("jobs/drain.yaml", "version: 1\njob: drain\npoll: 20ms\nevery: \(every)\n")
        try configure(streams)
        for stream in streams {
            let source = try String(contentsOfFile: Root.path(stream.model.file), encoding: .utf8)
            for model in stream.models { try write("config/models/\(model).yaml", Self.renamed(source, model: model, stream: stream.name)) }
        }
    }

    private static func renamed(_ source: String, model: String, stream: String) -> String {
        source.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            if line.hasPrefix("model:") { return "model: \(model)" }
            return line.hasPrefix("stream:") ? "stream: \(stream)" : String(line)
        }.joined(separator: "\n")
    }

    /// Writes `millrace.yaml`, anew where a test changes it.
    func configure(_ streams: [Stream]) throws {
        var lines = ["version: 1", "lease: \(lease)", "streams:"]
        for stream in streams {
            lines += ["  \(stream.name):", "    list: \"\(list(stream.name))\"", "    partitions: \(stream.partitions)"]
            lines += stream.settings.map { "    \($0)" }
        }
        try write("config/millrace.yaml", lines.joined(separator: "\n") + "\n")
    }

    /// Writes a file of the place.
    func write(_ path: String, _ text: String) throws {
        let file = directory.appending(path: path)
        try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: file)
    }

    func read(_ path: String) throws -> String { try String(contentsOf: directory.appending(path: path), encoding: .utf8) }

    /// The list of a partition.
    func list(_ stream: String = "trace", _ partition: Int = 0) -> String {
        let tagged = "events:{\(stream)-\(tag)}"
        guard partition > 0 else { return tagged }
        return "events:{\(stream)-\(tag).\(partition)}"
    }

    func journal(_ name: String = "journal") throws -> Journal { try Journal(in: directory, name: name) }

    /// As far as the servers let it: some tests have servers that take no writes.
    private func remove() async throws {
        _ = try? await mongo.command(["dropDatabase": 1])
        for stream in streams {
            for partition in 0..<stream.partitions {
                let list = list(stream.name, partition)
                _ = try? await redis.call(
                    "UNLINK", list, list + ":segment", list + ":segment:id", list + ":fence", list + ":cuts", list + ":oversize", list + ":owner")
            }
        }
        try FileManager.default.removeItem(at: directory)
    }

    // MARK: Pushing

    /// Pushes events onto the lists of their keys, after they have entered the journal.
    func push(_ elements: [[UInt8]], to stream: String = "trace", _ journal: Journal) async throws {
        try await journal.append(elements)
        let partitions = streams.first { $0.name == stream }?.partitions ?? 1
        guard partitions > 1 else { return try await push(elements, onto: list(stream)) }
        let byPartition = Dictionary(grouping: elements) { Partitioning.partition(of: Self.key(of: $0), count: partitions) }
        for (partition, elements) in byPartition { try await push(elements, onto: list(stream, partition)) }
    }

    /// Pushes elements onto a list, whatever they are.
    func push(_ elements: [[UInt8]], onto list: String) async throws {
        try await buffer(list).push(elements)
    }

    /// A connection that pushes.
    func buffer(_ list: String) throws -> RedisBuffer {
        try RedisBuffer(url: RedisURL(servers.redis), list: list, installation: "", maxEventBytes: .mebibytes(1), timeout: .seconds(30))
    }

    /// The key of an event as `TraceEvents` writes it.
    private static func key(of element: [UInt8]) -> some Sequence<UInt8> {
        let text = String(decoding: element, as: UTF8.self)
        let start = text.firstRange(of: "\"key\":\"")?.upperBound ?? text.endIndex
        return Array(text[start...].utf8.prefix { $0 != UInt8(ascii: "\"") })
    }

    // MARK: Running

    var environment: [String: String] {
        [
            "MILLRACE_REDIS_URL": servers.redis, "MILLRACE_MONGODB_URL": servers.mongodb, "MILLRACE_MONGODB_DATABASE": database,
            "MILLRACE_HEALTH_LISTEN": "off", "MILLRACE_API_LISTEN": "off",
        ]
    }

    /// Starts the command with the place's configuration, and with jobs from one of its folders.
    func start(_ build: Build, _ arguments: [String], jobs: String = "jobs", environment more: [String: String] = [:]) throws -> Child {
        let options = ["--config", directory.appending(path: "config").path, "--jobs", directory.appending(path: jobs).path]
        return try Child(build.program, arguments + options, environment: environment.merging(more) { $1 }, files: directory)
    }

    /// Runs the command to its end.
    func run(_ build: Build, _ arguments: [String], environment more: [String: String] = [:], within limit: Duration = .seconds(60)) async throws
        -> Child.Ended
    {
        try await start(build, arguments, environment: more).ended(within: limit)
    }

    /// `drain --once`, which must end with 0, or with 1 where events were parked in this run.
    @discardableResult
    func drain(_ build: Build = .release, within limit: Duration = .seconds(60)) async throws -> DrainReceipt {
        let ended = try await run(build, ["drain", "--once", "--json"], within: limit)
        let receipt = try DrainReceipt(of: ended)
        guard ended.cause == .exit(receipt.models.values.contains { $0.parked > 0 } ? 1 : 0) else { throw Failure("drain --once: \(ended.summary)") }
        return receipt
    }

    func status() async throws -> Status {
        let ended = try await run(.release, ["status", "--json"])
        guard ended.cause == .exit(0) else { throw Failure("status: \(ended.summary)") }
        return try JSONDecoder().decode(Status.self, from: Data(ended.output.utf8))
    }

    /// The log of a stream, as `millrace events --json` prints it: one element a line.
    func log(of stream: String = "trace") async throws -> URL {
        let child = try start(.release, ["events", stream, "--json"])
        let ended = try await child.ended()
        guard ended.cause == .exit(0) else { throw Failure("events: \(ended.summary)") }
        return child.output
    }
}
