import Events
import Health
import Hummingbird
import HummingbirdCore
import HummingbirdHTTP2
import Logging
import NIOCore
import NIOSSL
import Reads
import ServiceLifecycle
import Synchronization
import Threads

/// The read API over HTTP.
public final class ReadService: Service {
    public struct Settings: Sendable {
        public var host: String
        /// 0 for any that is free.
        public var port: Int
        /// Connections of clients at once; others wait to be taken.
        public var connections: Int
        /// Paths of PEM files, for TLS; nil for none.
        public var tls: (certificate: String, key: String)?

        public init(host: String, port: Int, connections: Int, tls: (certificate: String, key: String)? = nil) {
            self.host = host
            self.port = port
            self.connections = connections
            self.tls = tls
        }
    }

    private let settings: Settings
    private let setup = Mutex<ReadSetup?>(nil)
    private let metrics = ReadMetrics()
    private let onBound: @Sendable (Int) -> Void
    private let logger: Logger

    /// An HTTP/2 connection without requests is left after so long.
    private static let idleTimeout = Duration.seconds(30)
    /// Bytes of all headers, and how many there are.
    private static let headers = (bytes: 8192, count: 100)

    /// - Parameter onBound: is told the port.
    public init(_ settings: Settings, logger: Logger, onBound: @escaping @Sendable (Int) -> Void = { _ in }) {
        self.settings = settings
        self.onBound = onBound
        self.logger = Logger(label: logger.label) { _ in WarningLog(logger: logger) }
    }

    /// From now on it serves this.
    public func serve(_ setup: ReadSetup) {
        self.setup.withLock { current in
            if let current { setup.site.goOn(from: current.site) }
            current = setup
        }
    }

    /// What it is asked, and what its caches and MongoDB do for it.
    public func addMetrics(to exposition: inout Exposition) {
        metrics.add(to: &exposition)
        setup.withLock(\.self)?.addMetrics(to: &exposition)
    }

    /// Whether it can read now.
    public func checks() async -> [HealthCheck] {
        guard let setup = setup.withLock(\.self) else { return [HealthCheck("reads", fault: "nothing can be read yet")] }
        return [HealthCheck("reads", fault: await setup.fault())]
    }

    /// HTTP/1.1, and with TLS also HTTP/2, as the client likes.
    private func server(_ http: HTTP1Channel.Configuration) throws -> HTTPServerBuilder {
        guard let files = settings.tls else {
            return HTTPServerBuilder { responder in OnEventLoop(inner: HTTP1Channel(responder: responder, configuration: http)) }
        }
        let chain = try Self.read("certificate", files.certificate) { try NIOSSLCertificate.fromPEMFile(files.certificate) }
        let key = try Self.read("key", files.key) { try NIOSSLPrivateKey(file: files.key, format: .pem) }
        var tls = TLSConfiguration.makeServerConfiguration(certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
        tls.minimumTLSVersion = .tlsv12
        do { _ = try NIOSSLContext(configuration: tls) } catch {
            throw Refusal(.badConfiguration, "api: tls: certificate and key do not go together: \(error)")
        }
        let configuration = HTTP2ChannelConfiguration(idleTimeout: Self.idleTimeout, gracefulCloseTimeout: Self.idleTimeout, streamConfiguration: http)
        return HTTPServerBuilder { [tls] responder in
            OnEventLoop(inner: try HTTP2UpgradeChannel(tlsConfiguration: tls, configuration: configuration, responder: responder))
        }
    }

    private static func read<Part>(_ what: String, _ path: String, _ body: () throws -> Part) throws(Refusal) -> Part {
        do { return try body() } catch { throw Refusal(.badConfiguration, "api: tls: \(what): \(path) cannot be read as PEM: \(error)") }
    }

    /// Throws a `Refusal` for files that do not do, and the system's error where the port cannot be had.
    public func run() async throws {
        let responder = ReadResponder(setup: { [self] in setup.withLock(\.self) }, metrics: metrics)
        let http = HTTP1Channel.Configuration(
            additionalChannelHandlers: [ConnectionHandler(responder)],
            httpDecoderConfiguration: .init(
                maxHeaderFieldSize: Self.headers.bytes, maxHeaderListSize: Self.headers.bytes, maxHeaderFieldCount: Self.headers.count))
        let application = Application(
            responder: responder,
            server: try server(http),
            configuration: .init(
                address: .hostname(settings.host, port: settings.port), serverName: nil, backlog: 1024,
                availableConnectionsDelegate: MaximumAvailableConnections(settings.connections)),
            onServerRunning: { [onBound] channel in onBound(channel.localAddress?.port ?? 0) }, logger: logger)
        // Whoever asks wakes a loop. Many who ask would interrupt whoever drains, or stores what is drained, at every request.
        for loop in application.eventLoopGroup.makeIterator() { loop.execute(CurrentThread.interruptNobody) }
        try await application.run()
    }
}

/// Says what the server warns of, without what it knows of a request: to write that down costs each request more than its path does
/// to take apart, and no message tells it.
private struct WarningLog: LogHandler {
    let logger: Logger

    var logLevel: Logger.Level {
        get { max(logger.logLevel, .warning) }
        nonmutating set {}
    }

    var metadata: Logger.Metadata {
        get { [:] }
        nonmutating set {}
    }

    subscript(metadataKey key: String) -> Logger.MetadataValue? {
        get { nil }
        nonmutating set {}
    }

    func log(event: LogEvent) { logger.log(level: event.level, event.message, metadata: event.metadata) }
}
