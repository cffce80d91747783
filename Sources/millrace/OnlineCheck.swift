import ArgumentParser
import Definitions
import Events
import Models
import MongoStore
import Projector
import RedisAddress
import RedisBuffer
import Values

/// What `check --online` finds at the servers: by the rules that a worker starts under, and without writing anything.
struct OnlineCheck {
    struct Finding {
        /// Where: a server, a list, a stream.
        var subject: String
        var kind: Kind
        var problem: Problem
        var message: String
    }

    enum Kind: String {
        /// Nothing could be asked.
        case unreachable
        /// A worker would not start, or not work on it.
        case refused
        /// It works, and something is lost or slow when something else goes wrong.
        case warning
    }

    private(set) var findings: [Finding] = []
    private let configuration: Configuration

    /// - Parameter patience: for finding MongoDB's primary.
    init(_ configuration: Configuration, patience: Duration) async {
        self.configuration = configuration
        let reader = await reader(patience)
        await inspectRedis(reader?.installation?.id)
        if let reader { await inspectMongoDB(reader) }
    }

    /// The exit code that goes with the worst of it; nil when there is nothing but warnings.
    var exitCode: ExitCode? {
        if findings.contains(where: { $0.kind == .refused }) { return Ending.refused }
        return findings.contains { $0.kind == .unreachable } ? Ending.unreachable : nil
    }

    private mutating func add(_ subject: String, _ error: any Error) {
        switch error {
        case let refusal as Refusal: findings.append(Finding(subject: subject, kind: .refused, problem: refusal.problem, message: refusal.message))
        case let failure as any StoreFailure:
            findings.append(Finding(subject: subject, kind: failure.isRetriable ? .unreachable : .refused, problem: failure.problem, message: "\(failure)"))
        default: findings.append(Finding(subject: subject, kind: .refused, problem: .serverRefused, message: "\(error)"))
        }
    }

    private mutating func warn(_ subject: String, _ problem: Problem, _ message: String) {
        findings.append(Finding(subject: subject, kind: .warning, problem: problem, message: message))
    }

    // MARK: Redis

    private mutating func inspectRedis(_ installation: String?) async {
        do {
            let server = RedisServer(url: try RedisURL(configuration.redis.url))
            let inspection = try await server.inspect()
            for refusal in inspection.refusals { add("redis", refusal) }
            for warning in inspection.warnings { warn("redis", .unsafeServer, warning) }
            for stream in configuration.streams {
                for list in (0..<stream.partitions).map(stream.list) {
                    // Where there is no installation yet, a list that belongs to one belongs to another.
                    if let refusal = try await server.refusal(of: list, installation: installation ?? "not made yet") { add(list, refusal) }
                    for refusal in try await server.wrongTypes(of: list) { add(list, refusal) }
                }
            }
        } catch {
            add("redis", error)
        }
    }

    // MARK: MongoDB

    private mutating func reader(_ patience: Duration) async -> Reader? {
        do {
            return try await Reader(configuration, selection: patience)
        } catch {
            add("mongodb", error)
            return nil
        }
    }

    private mutating func inspectMongoDB(_ reader: Reader) async {
        do {
            try await reader.inspectServer()
            if reader.installation != nil {
                let builds = reader.builds.values.sorted { $0.id.description < $1.id.description }.map { build in
                    (build: build, indexes: (try? build.definition(configuration.model(build.id.model)).indexes) ?? [])
                }
                for fault in try await reader.catalog.indexFaults(of: builds) { warn("mongodb", .badConfiguration, fault) }
            }
        } catch {
            add("mongodb", error)
        }
        for stream in configuration.streams {
            do {
                try await reader.catalog.inspect(stream)
                for partition in reader.partitions(of: stream) { _ = try await reader.readings.reading(of: partition) }
            } catch {
                add(stream.name, error)
            }
        }
    }
}
