import Events
import HTTPTypes
import Health
import Models
import NIOCore
import NIOEmbedded
import NIOHTTPTypes
import Projector
import ReadFixtures
import Reads
import Synchronization
import Testing

@testable import ReadAPI

/// Documents that a connection looks up without the framework. There are `a` and `b`.
@Suite(.timeLimit(.minutes(5))) struct ConnectionLookupTests {
    private let servers = ServersInMemory()
    private let metrics = ReadMetrics()
    private let site = ReadSite(partitions: partitions, caches: ["product": ReadCache(CacheSettings(), of: model)])
    private let setup: ReadSetup

    private static let partitions = [ServersInMemory.partition]
    private static let model = ServersInMemory.model

    init() async { setup = await Self.setup(servers, site, deadline: .seconds(300)) }

    private static func setup(_ servers: ServersInMemory, _ site: ReadSite, deadline: Duration) async -> ReadSetup {
        let tokens = TokenBook { ([], 0) }
        await tokens.open()
        return ReadSetup(
            models: [model], incarnation: "i", version: "1", site: site, lookups: Lookups(site, connections: [servers], mostWaiting: 10),
            primaryLookups: Lookups(site, connections: [servers], mostWaiting: 10), pages: Pages(site, connections: [servers], mostWaiting: 1),
            caughtUp: CaughtUp(site, connection: servers, NoWriteSide(), partitions: partitions), past: Past(readers: [], mostWaiting: 1),
            follower: CacheFollower(site, connection: servers), probe: ReadProbe(site, connection: servers), tokens: tokens, issued: nil, storm: Storm(),
            deadline: deadline, rate: nil, concurrency: 2)
    }

    private func connection() async throws -> Connection { try await connection(setup) }

    private func connection(_ setup: ReadSetup) async throws -> Connection { try await Connection(ReadResponder(setup: { setup }, metrics: metrics)) }

    private static let end = HTTPRequestPart.end(nil)

    private static func get(_ path: String, _ fields: HTTPFields = [:], _ method: HTTPRequest.Method = .get) -> HTTPRequestPart {
        .head(HTTPRequest(method: method, scheme: "http", authority: "localhost", path: path, headerFields: fields))
    }

    @Test func `a document is answered, and nobody else sees the request`() async throws {
        let connection = try await connection()
        func answer(_ path: String, _ fields: HTTPFields = [:], _ method: HTTPRequest.Method = .get) async throws -> (head: HTTPResponse, body: String?) {
            try await connection.ask(Self.get(path, fields, method), Self.end)
            return try await connection.answer()
        }
        let (head, body) = try await answer("/v1/product/a")
        #expect(head.status == .ok && body == #"{"_id":"a","n":1}"#)
        let tag = try #require(head.headerFields[.eTag])
        #expect(head.headerFields[.contentLength] == "17" && head.headerFields[.contentType] == "application/json" && head.headerFields[.date] != nil)
        #expect(
            head.headerFields[.position] == setup.position(7, of: ServersInMemory.partition)
                && head.headerFields[.lag] == "0" && head.headerFields[.contentTypeOptions] == "nosniff")
        let without = try await answer("/v1/product/a", [:], .head)
        #expect(without.head.status == .ok && without.head.headerFields[.contentLength] == "17" && without.body == nil)
        let same = try await answer("/v1/product/a", [.ifNoneMatch: tag, .requestID: "mine"])
        #expect(same.head.status == .notModified && same.body == nil && same.head.headerFields[.eTag] == tag)
        #expect(same.head.headerFields[.contentLength] == nil && same.head.headerFields[.requestID] == "mine")
        #expect(try await answer("/v1/product/a?fields=m&stale=ok").body == #"{"_id":"a"}"#)
        #expect(try await answer("/v1/product/c").head.status == .notFound)
        for path in ["/v1/product/a?x=1", "/v1/product/a?stale=no", "/v1/product/a?fields=", "/v1/product/a?at=x"] {
            #expect(try await answer(path).head.status == .badRequest, "\(path)")
        }
        #expect(try await answer("/v1/product/a", [.prefer: "consistency=most"]).head.status == .badRequest)
        #expect(try await answer("/v1/other/a").body?.contains("no-such-model") == true)
        #expect(connection.passed.isEmpty)
        var exposition = Exposition()
        metrics.add(to: &exposition)
        let text = exposition.text
        #expect(text.contains(#"http_request_method="GET",http_response_status_code="200"} 2"#) && text.contains(#"status_code="304"} 1"#), "\(text)")
        #expect(text.contains(#"http_response_status_code="400"} 5"#) && text.contains("\nhttp_server_active_requests 0\n"), "\(text)")
    }

    @Test(arguments: [
        get("/v1/product/a?at=2026-11-20T10:00:00Z"), get("/v1/product/a", [.prefer: "consistency=causal"]), get("/v1/product/a", [.connection: "close"]),
        get("/v1/product/a/history"), get("/v1/product"), get("/v1"), get("/v1/product:batchGet", [:], .post),
        get("/v1/product/a", [.contentLength: "5"]), get("/v1/product/a", [.transferEncoding: "chunked"]),
        get("/v1/product/a?at=2026-11-20T10:00:00Z", [.prefer: "wait=x"]),
    ])
    func `what is not a lookup of now is passed on`(head: HTTPRequestPart) async throws {
        let connection = try await connection()
        try await connection.ask(head, Self.end)
        #expect(connection.passed == ["head", "end"])
        // And what comes behind it, until it is answered.
        try await connection.ask(Self.get("/v1/product/a"), Self.end)
        #expect(connection.passed == ["head", "end", "head", "end"])
        #expect(try await connection.channel.readOutbound(as: HTTPResponsePart.self) == nil && servers.state.withLock(\.reads.isEmpty))
    }

    @Test func `what comes behind the last request of a connection is not looked up`() async throws {
        let connection = try await connection()
        try await connection.ask(Self.get("/v1/product/a", [.connection: "close"]), Self.end)
        try await connection.channel.writeOutbound(HTTPResponsePart.end(nil))
        try await connection.ask(Self.get("/v1/product/a"), Self.end)
        #expect(connection.passed == ["head", "end", "head", "end"])
    }

    @Test func `what comes behind a lookup waits for its answer`() async throws {
        let connection = try await connection()
        servers.state.withLock { $0.gate = [] }
        // Else a failure would leave its task waiting for ever.
        defer { servers.open() }
        try await connection.ask(Self.get("/v1/product/a"), Self.end, Self.get("/v1/product/b"), Self.end)
        try await connection.ask(Self.get("/v1/product:batchGet", [:], .post), .body(ByteBuffer(string: "{}")), Self.end)
        connection.channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
        connection.channel.pipeline.fireErrorCaught(ChannelError.inputClosed)
        connection.channel.read()
        try await connection.until { servers.state.withLock { $0.gate?.count == 1 } }
        #expect(connection.passed.isEmpty && connection.reads == 0)
        servers.open()
        #expect(try await connection.answer().body?.contains("a") == true)
        #expect(try await connection.answer().body?.contains("b") == true)
        try await connection.until { connection.reads == 1 }
        #expect(connection.passed == ["head", "body", "end", "event", "error"] && connection.isComplete)
        // With nothing that waits, all is as it was.
        connection.channel.read()
        try await connection.until { connection.reads == 2 }
    }

    @Test func `however much waits is answered in order`() async throws {
        let connection = try await connection()
        func ask(_ id: String) async throws { try await connection.ask(Self.get("/v1/product/\(id)"), Self.end) }
        // From then on it is in the cache, and answered at once.
        for _ in 0..<2 {
            try await ask("b")
            _ = try await connection.answer()
        }
        servers.state.withLock { $0.gate = [] }
        defer { servers.open() }
        try await ask("a")
        try await connection.until { servers.state.withLock { $0.gate?.count == 1 } }
        for _ in 0..<2000 { try await ask("b") }
        servers.open()
        #expect(try await connection.answer().body?.contains("a") == true)
        for _ in 0..<2000 { #expect(try await connection.answer().body?.contains("b") == true) }
    }

    @Test func `of what is answered before its end, the rest is passed over`() async throws {
        let connection = try await connection()
        try await connection.ask(Self.get("/v1/product/a", [.expect: "100-continue"]))
        #expect(try await connection.answer().head.status == .ok)
        try await connection.ask(.body(ByteBuffer(string: "{}")), Self.end, Self.get("/v1/product/b"))
        let part = HTTPRequestPart.body(ByteBuffer(repeating: 0, count: ConnectionHandler.mostPassedOver))
        servers.state.withLock { $0.gate = [] }
        defer { servers.open() }
        try await connection.ask(part)
        #expect(servers.state.withLock(\.reads.count) == 1)
        try await connection.ask(part, part)
        try await connection.until { servers.state.withLock { $0.gate?.count == 1 } }
        // Its own end ends it, and no other.
        try await connection.ask(part, Self.end, Self.get("/v1/product/a"), Self.end)
        servers.open()
        #expect(try await connection.answer().body?.contains("b") == true)
        #expect(try await connection.answer().body?.contains("a") == true)
        #expect(connection.passed.isEmpty)
    }

    @Test func `no more are looked up at once than are allowed, and whoever goes makes room`() async throws {
        servers.state.withLock { $0.gate = [] }
        defer { servers.open() }
        let (first, second, third) = (try await connection(), try await connection(), try await connection())
        for connection in [first, second] { try await connection.ask(Self.get("/v1/product/a"), Self.end) }
        try await third.ask(Self.get("/v1/product/a"), Self.end)
        #expect(try await third.answer().head.status == .serviceUnavailable)
        try await first.channel.close()
        try await first.channel.testingEventLoop.shutdownGracefully()
        servers.open()
        #expect(try await second.answer().head.status == .ok)
        for _ in 0..<5 {
            try await third.ask(Self.get("/v1/product/a"), Self.end)
            #expect(try await third.answer().head.status == .ok)
        }
    }

    @Test func `a request whose end does not come in time is late, and nothing is read for it`() async throws {
        // Nor taken from the cache.
        let first = try await connection()
        for _ in 0..<2 {
            try await first.ask(Self.get("/v1/product/a"), Self.end)
            _ = try await first.answer()
        }
        let connection = try await connection(await Self.setup(servers, site, deadline: .milliseconds(50)))
        try await connection.ask(Self.get("/v1/product/a"))
        let asked = ContinuousClock.now
        try await connection.until { .now - asked > .milliseconds(50) }
        try await connection.ask(Self.end)
        #expect(try await connection.answer().body?.contains("timed-out") == true && servers.state.withLock(\.reads.count) == 2)
    }

    @Test func `a client is not left while it waits`() async throws {
        let connection = try await connection()
        servers.state.withLock { $0.gate = [] }
        defer { servers.open() }
        try await connection.ask(Self.get("/v1/product/a"), Self.end)
        await connection.channel.testingEventLoop.advanceTime(by: .hours(1))
        #expect(connection.channel.isActive)
        servers.open()
        #expect(try await connection.answer().head.status == .ok)
        // Nor where it is answered before all of its request is there.
        servers.state.withLock { $0.gate = [] }
        try await connection.ask(Self.get("/v1/product/b", [.expect: "100-continue"]))
        await connection.channel.testingEventLoop.advanceTime(by: .hours(1))
        servers.open()
        #expect(try await connection.answer().head.status == .ok)
        try await connection.ask(Self.end)
        await connection.channel.testingEventLoop.advanceTime(by: ConnectionHandler.patience - .seconds(1))
        #expect(connection.channel.isActive)
        await connection.channel.testingEventLoop.advanceTime(by: ConnectionHandler.patience)
        #expect(!connection.channel.isActive)
    }
}

private struct NoWriteSide: WriteSide {
    func list(of partition: PartitionID) -> String? { nil }
    func token(of partition: PartitionID) async throws -> BufferToken { throw CancellationError() }
    func pausedStreams() async throws -> Set<String> { [] }
}

/// A client on this machine, and what its connection passes on.
private struct Connection {
    let channel: NIOAsyncTestingChannel
    private let front = Recorder()
    private let back = Recorder()

    init(_ responder: ReadResponder) async throws {
        channel = try await NIOAsyncTestingChannel { [front, back] channel in
            try channel.pipeline.syncOperations.addHandlers([front, ConnectionHandler(responder), back])
        }
        try await channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).get()
    }

    /// What the framework is given.
    var passed: [String] { back.seen.withLock(\.self).filter { $0 != "read" && $0 != "complete" } }

    /// Whether it was told that this is all for now, and so to go on with it.
    var isComplete: Bool { back.seen.withLock(\.self).last { $0 != "read" } == "complete" }

    /// How often the network was asked for more.
    var reads: Int { front.seen.withLock(\.self).count { $0 == "read" } }

    func ask(_ parts: HTTPRequestPart...) async throws { for part in parts { try await channel.writeInbound(part) } }

    func answer() async throws -> (head: HTTPResponse, body: String?) {
        var (head, body): (HTTPResponse?, String?)
        while true {
            switch try await channel.waitForOutboundWrite(as: HTTPResponsePart.self) {
            case .head(let part): head = part
            case .body(let part): body = String(buffer: part)
            case .end: return (try #require(head), body)
            }
        }
    }

    func until(_ condition: () -> Bool) async throws {
        let began = ContinuousClock.now
        while !condition() {
            // Other tests may keep every thread busy for long.
            try #require(.now - began < .seconds(300))
            try await Task.sleep(for: .milliseconds(2))
        }
    }
}

/// What comes through at one place.
private final class Recorder: ChannelDuplexHandler, Sendable {
    typealias InboundIn = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart

    let seen = Mutex<[String]>([])

    private func add(_ text: String) { seen.withLock { $0.append(text) } }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head: add("head")
        case .body: add("body")
        case .end: add("end")
        }
        context.fireChannelRead(data)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        add("complete")
        context.fireChannelReadComplete()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        add("event")
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        add("error")
        context.fireErrorCaught(error)
    }

    func read(context: ChannelHandlerContext) {
        add("read")
        context.read()
    }
}
