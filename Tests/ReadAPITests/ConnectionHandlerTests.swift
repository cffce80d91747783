import HTTPTypes
import Health
import NIOCore
import NIOEmbedded
import NIOHTTPTypes
import Testing

@testable import ReadAPI

/// A connection whose service refuses everything, because nothing can be read yet.
@Suite struct ConnectionHandlerTests {
    private let metrics = ReadMetrics()
    private let channel: EmbeddedChannel

    init() throws {
        channel = EmbeddedChannel(handler: ConnectionHandler(ReadResponder(setup: { nil }, metrics: metrics)))
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
    }

    private static func head(_ method: HTTPRequest.Method = .get, _ fields: HTTPFields = [:]) -> HTTPRequestPart {
        .head(HTTPRequest(method: method, scheme: "http", authority: "localhost", path: "/v1/product/a", headerFields: fields))
    }

    /// What comes before it is answered by the framework, and the client wants no more.
    private static let last = head(.get, [.connection: "close"])

    private func ask(_ parts: HTTPRequestPart...) throws { for part in parts { try channel.writeInbound(part) } }

    /// What the framework is given.
    private func passed() throws -> [HTTPRequestPart] {
        var parts: [HTTPRequestPart] = []
        while let part = try channel.readInbound(as: HTTPRequestPart.self) { parts.append(part) }
        return parts
    }

    /// What the client is answered.
    private func answered() throws -> [HTTPResponsePart] {
        var parts: [HTTPResponsePart] = []
        while let part = try channel.readOutbound(as: HTTPResponsePart.self) { parts.append(part) }
        return parts
    }

    private func take() throws -> Arrival? { try channel.pipeline.syncOperations.handler(type: ConnectionHandler.self).take() }

    @Test func `a request is refused when it is there, and nobody else sees it`() throws {
        try ask(Self.head(.post), .body(ByteBuffer(string: "{}")))
        #expect(try answered().isEmpty)
        try ask(.end(nil))
        let answer = try answered()
        guard answer.count == 3, case .head(let head) = answer[0], case .body(let body) = answer[1], answer[2] == .end(nil) else {
            Issue.record("\(answer)")
            return
        }
        #expect(head.status == .methodNotAllowed && head.headerFields[.contentLength] == "\(body.readableBytes)" && body.readableBytes > 0)
        #expect(try head.headerFields[.date]?.wholeMatch(of: Regex("[A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} 20[0-9]{2} [0-9:]{8} GMT")) != nil)
        #expect(try passed().isEmpty && take() == nil)
        // And so is the next, whose answer has no body.
        try ask(Self.head(.head), .end(nil))
        let next = try answered()
        #expect(try next.count == 2 && next.last == .end(nil) && passed().isEmpty)
        var exposition = Exposition()
        metrics.add(to: &exposition)
        #expect(exposition.text.contains(#"http_response_status_code="405"} 1"#) && exposition.text.contains(#"http_response_status_code="503"} 1"#))
    }

    @Test func `who asks before he sends a body is refused then, and who sends a long one in the middle of it`() throws {
        try ask(Self.head(.post, [.expect: "100-continue"]))
        #expect(try answered().count == 3)
        try ask(.end(nil), Self.head(.post))
        let part = ByteBuffer(repeating: 0, count: ConnectionHandler.mostPassedOver)
        try ask(.body(part))
        #expect(try answered().isEmpty)
        try ask(.body(part))
        #expect(try answered().count == 3)
        try ask(.body(part), .end(nil))
        #expect(try answered().isEmpty && passed().isEmpty)
    }

    @Test func `a client that does not take its answers waits for the framework's, and is not left for what it has not taken`() throws {
        channel.isWritable = false
        try ask(Self.head(), .end(nil))
        #expect(try passed().count == 2 && answered().isEmpty)
        try channel.writeOutbound(HTTPResponsePart.end(nil))
        channel.embeddedEventLoop.advanceTime(by: .hours(1))
        #expect(channel.isActive)
        channel.isWritable = true
        channel.embeddedEventLoop.advanceTime(by: ConnectionHandler.patience)
        #expect(!channel.isActive)
    }

    @Test func `what comes while another request is under way is answered after it`() throws {
        channel.isWritable = false
        try ask(Self.head(), .end(nil))
        channel.isWritable = true
        try ask(Self.head(), .end(nil))
        #expect(try passed() == [Self.head(), .end(nil), Self.head(), .end(nil)] && answered().isEmpty)
        #expect(try take() != nil && take() != nil && take() == nil)
        let answer: [HTTPResponsePart] = [.head(HTTPResponse(status: .ok)), .end(nil)]
        for part in answer { try channel.writeOutbound(part) }
        try ask(Self.head(), .end(nil))
        #expect(try passed().count == 2 && answered() == answer)
        for part in answer + answer { try channel.writeOutbound(part) }
        _ = try answered()
        try ask(Self.head(), .end(nil))
        #expect(try passed().isEmpty && answered().count == 3)
        // What is no HTTP is answered without having been passed on.
        for part in answer { try channel.writeOutbound(part) }
        try ask(Self.head(), .end(nil))
        #expect(try passed().isEmpty && answered().count == 2 + 3)
    }

    @Test func `a client that says nothing is left, in the middle of a request or between two, and not while it waits`() throws {
        let patience = ConnectionHandler.patience
        func pass(_ time: TimeAmount) { channel.embeddedEventLoop.advanceTime(by: time) }
        pass(patience - .seconds(1))
        // Refused: only this handler has seen it.
        try ask(Self.head())
        pass(patience - .seconds(1))
        try ask(.end(nil))
        pass(patience - .seconds(1))
        try ask(Self.last, .end(nil))
        pass(.hours(1))
        #expect(channel.isActive)
        try channel.writeOutbound(HTTPResponsePart.end(nil))
        pass(patience - .nanoseconds(1))
        #expect(channel.isActive)
        pass(patience)
        #expect(!channel.isActive)
    }

    @Test func `a client that stops in the middle of a request is left`() throws {
        try ask(Self.last)
        channel.embeddedEventLoop.advanceTime(by: ConnectionHandler.patience)
        #expect(!channel.isActive)
    }
}
