import NIOCore
import NIOEmbedded
import Testing

@testable import ReadAPI

@Suite struct SilenceHandlerTests {
    /// A connection whose client takes only what is read of `channel` in a test.
    private func connect() throws -> EmbeddedChannel {
        let channel = EmbeddedChannel(handler: SilenceHandler())
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
        return channel
    }

    private func pass(on channel: EmbeddedChannel) { channel.embeddedEventLoop.advanceTime(by: SilenceHandler.interval) }

    @Test func `a connection on which no byte moves is left`() throws {
        let channel = try connect()
        channel.embeddedEventLoop.advanceTime(by: SilenceHandler.interval - .nanoseconds(1))
        #expect(channel.isActive)
        channel.embeddedEventLoop.advanceTime(by: .nanoseconds(1))
        #expect(!channel.isActive)
    }

    @Test func `a client that says something keeps its connection, until it is silent`() throws {
        let channel = try connect()
        for _ in 0..<3 {
            try channel.writeInbound(ByteBuffer(string: "x"))
            pass(on: channel)
            #expect(channel.isActive)
        }
        #expect(try channel.readInbound(as: ByteBuffer.self) == ByteBuffer(string: "x"))
        pass(on: channel)
        #expect(!channel.isActive)
    }

    @Test func `a client that takes its answer slowly keeps its connection, and one that does not take it is left`() throws {
        let channel = try connect()
        for text in ["an answer", " in parts"] { channel.write(ByteBuffer(string: text), promise: nil) }
        pass(on: channel)
        #expect(channel.isActive)
        channel.write(ByteBuffer(string: "more"), promise: nil)
        pass(on: channel)
        #expect(channel.isActive)
        pass(on: channel)
        #expect(!channel.isActive)
    }
}
