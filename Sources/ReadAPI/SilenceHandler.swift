import NIOCore

/// Leaves a connection on which no byte moves, whether it shakes hands, is asked for nothing or does not take its answer.
///
/// NIO's `IdleStateHandler` does too, with a promise for each write, which cost an answer a twentieth of its time.
final class SilenceHandler: ChannelInboundHandler {
    typealias InboundIn = NIOAny

    /// Whether something moved is looked at so often: no request takes as long.
    static let interval = TimeAmount.seconds(100)

    private var hasRead = false
    /// Bytes that the client had not taken yet, when that was last looked at.
    private var unsent = 0
    private var next: Scheduled<Void>?

    func handlerAdded(context: ChannelHandlerContext) { schedule(context) }

    func handlerRemoved(context: ChannelHandlerContext) { next?.cancel() }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        hasRead = true
        context.fireChannelRead(data)
    }

    private func schedule(_ context: ChannelHandlerContext) {
        next = context.eventLoop.assumeIsolated().scheduleTask(in: Self.interval) { self.look(context) }
    }

    private func look(_ context: ChannelHandlerContext) {
        let unsent = (try? context.channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0
        guard hasRead || unsent != self.unsent else { return context.close(promise: nil) }
        (hasRead, self.unsent) = (false, unsent)
        schedule(context)
    }
}
