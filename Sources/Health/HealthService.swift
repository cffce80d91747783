import Events
import HTTPTypes
import Hummingbird
import Logging
import ServiceLifecycle
import Synchronization

/// `/livez`, `/readyz` and `/metrics`: for whoever watches the service, and nobody else, so that it listens on loopback unless it
/// is told otherwise.
public final class HealthService: Service {
    private let host: String
    private let port: Int
    private let source = Mutex<(any HealthSource)?>(nil)
    private let onBound: @Sendable (Int) -> Void
    private let logger: Logger

    /// A server that says nothing for so long counts as gone: a watcher does not wait much longer.
    private static let patience = Duration.seconds(3)

    /// - Parameter onBound: is told the port, which is another where 0 was asked for.
    public init(host: String, port: Int, logger: Logger, onBound: @escaping @Sendable (Int) -> Void = { _ in }) {
        self.host = host
        self.port = port
        self.onBound = onBound
        var quiet = logger
        quiet.logLevel = max(logger.logLevel, .warning)
        self.logger = quiet
    }

    /// From now on it is ready when the source is.
    public func answer(from source: any HealthSource) { self.source.withLock { $0 = source } }

    /// Throws the system's error where the port cannot be had.
    public func run() async throws {
        let router = Router()
        router.get("/livez") { _, _ in Self.plain(.ok, "ok\n") }
        router.get("/readyz") { request, _ in await self.ready(isVerbose: request.uri.queryParameters.has("verbose")) }
        router.get("/metrics") { _, _ in try await self.metrics() }
        let application = Application(
            router: router, configuration: .init(address: .hostname(host, port: port), serverName: nil),
            onServerRunning: { [onBound] channel in onBound(channel.localAddress?.port ?? 0) }, logger: logger)
        try await application.run()
    }

    private func ready(isVerbose: Bool) async -> Response {
        guard let source = source.withLock(\.self) else { return Self.plain(.serviceUnavailable, "starting\n") }
        let checks = await withPatience { await source.checks() } ?? [HealthCheck("servers", fault: "no answer within \(Self.patience)")]
        let isReady = checks.allSatisfy { $0.fault == nil }
        let lines = checks.map { check in check.fault.map { "[-]\(check.name): \($0)\n" } ?? "[+]\(check.name) ok\n" }
        return Self.plain(isReady ? .ok : .serviceUnavailable, isVerbose ? lines.joined() : isReady ? "ok\n" : "not ready: see /readyz?verbose\n")
    }

    private func metrics() async throws -> Response {
        guard let source = source.withLock(\.self) else { return Self.plain(.serviceUnavailable, "starting\n") }
        guard let exposition = await withPatience({ try? await source.exposition() }) ?? nil else {
            return Self.plain(.serviceUnavailable, "the servers do not answer: see /readyz?verbose\n")
        }
        return Self.plain(.ok, exposition.text, type: Exposition.type)
    }

    /// nil where it takes too long; it goes on by itself then.
    private func withPatience<Answer: Sendable>(_ question: @escaping @Sendable () async -> Answer) async -> Answer? {
        let answer = AnswerBox<Answer>()
        Task { answer.put(await question()) }
        let deadline = ContinuousClock.now + Self.patience
        while ContinuousClock.now < deadline {
            if let found = answer.value { return found }
            try? await Task.sleep(for: .milliseconds(2))
        }
        return answer.value
    }

    private final class AnswerBox<Answer: Sendable>: Sendable {
        private let state = Mutex<Answer?>(nil)
        var value: Answer? { state.withLock { $0 } }
        func put(_ answer: Answer) { state.withLock { $0 = answer } }
    }

    private static func plain(_ status: HTTPResponse.Status, _ text: String, type: String = "text/plain; charset=utf-8") -> Response {
        Response(status: status, headers: [.contentType: type], body: .init(byteBuffer: ByteBuffer(string: text)))
    }
}
