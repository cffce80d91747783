import HummingbirdCore
import Logging
import NIOCore

/// Longer than any request may take: a connection on which no byte moves for so long, whether it shakes hands, is asked for
/// nothing or does not take its answer, is left.
private let silence = TimeAmount.seconds(100)

private final class SilentConnectionHandler: ChannelInboundHandler {
    typealias InboundIn = Any

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is IdleStateHandler.IdleStateEvent { context.close(promise: nil) } else { context.fireUserInboundEventTriggered(event) }
    }
}

/// Answers the requests of a connection on the event loop that its bytes arrive on: each step of a request goes to no other thread,
/// which on few cores costs more than the step.
struct OnEventLoop<Inner: ServerChildChannel>: ServerChildChannel {
    let inner: Inner

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Inner.Value> {
        do {
            try channel.pipeline.syncOperations.addHandlers([IdleStateHandler(allTimeout: silence), SilentConnectionHandler()])
        } catch {
            return channel.eventLoop.makeFailedFuture(error)
        }
        return inner.setup(channel: channel, logger: logger)
    }

    func handle(value: Inner.Value, logger: Logger) async {
        await withTaskExecutorPreference(EventLoopExecutor(value.channel.eventLoop)) { await inner.handle(value: value, logger: logger) }
    }
}

private final class EventLoopExecutor: TaskExecutor {
    private let loop: any EventLoop

    init(_ loop: any EventLoop) { self.loop = loop }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        loop.execute { [self] in job.runSynchronously(on: asUnownedTaskExecutor()) }
    }
}
