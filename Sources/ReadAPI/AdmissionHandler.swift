import HTTPTypes
import NIOCore
import NIOHTTPTypes

/// Decides about each request of a connection when its head comes, and answers those that it refuses: they cost neither a task nor a
/// way through the framework, and a storm of them is cheaper than what it asks for.
///
/// Leaves a client that says nothing for long, in the middle of a request or between two. The framework would do so too, but does
/// not see what is refused here.
final class AdmissionHandler: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    static let patience = TimeAmount.seconds(30)

    private let responder: ReadResponder
    /// The client's, once it has asked something.
    private var address: SocketAddress?
    /// Requests that were passed on, and that nobody has taken yet.
    private var arrivals = CircularBuffer<Arrival>()
    /// How many were passed on and are not answered yet: what comes behind them is answered after them.
    private var underWay = 0
    private var isReading = false
    /// Whether the request that is read is answered already.
    private var isRefused = false
    private var lastActive = NIODeadline.uptimeNanoseconds(0)
    private var next: Scheduled<Void>?

    init(_ responder: ReadResponder) { self.responder = responder }

    /// The next of the requests that were passed on.
    func take() -> Arrival? { arrivals.popFirst() }

    func handlerAdded(context: ChannelHandlerContext) {
        lastActive = context.eventLoop.now
        schedule(context, in: Self.patience)
    }

    func handlerRemoved(context: ChannelHandlerContext) { next?.cancel() }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        lastActive = context.eventLoop.now
        switch unwrapInboundIn(data) {
        case .head(let head):
            isReading = true
            if address == nil { address = context.channel.remoteAddress }
            let arrival = Arrival(head, from: address, responder.setup())
            // The framework closes a connection when it is asked to.
            if case .failure(let problem) = arrival.ticket, underWay == 0, head.headerFields[.connection] != "close" {
                isRefused = true
                return refuse(problem, arrival, head.method, context)
            }
            arrivals.append(arrival)
            underWay += 1
        case .body: if isRefused { return }
        case .end:
            isReading = false
            if isRefused { return isRefused = false }
        }
        context.fireChannelRead(data)
    }

    private func refuse(_ problem: HTTPProblem, _ arrival: Arrival, _ method: HTTPRequest.Method, _ context: ChannelHandlerContext) {
        var (head, body) = arrival.refusal(problem)
        head.headerFields[.contentLength] = "\(body.readableBytes)"
        head.headerFields[.date] = HTTPDate.now
        responder.metrics.answered(arrival.route, method, head.status, after: .now - arrival.began)
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        if method != .head { context.write(wrapOutboundOut(.body(body)), promise: nil) }
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if case .end = unwrapOutboundIn(data) {
            // What is no HTTP is answered too, and was never passed on.
            underWay = max(0, underWay - 1)
            lastActive = context.eventLoop.now
        }
        context.write(data, promise: promise)
    }

    private func schedule(_ context: ChannelHandlerContext, in time: TimeAmount) {
        next = context.eventLoop.assumeIsolated().scheduleTask(in: time) { self.look(context) }
    }

    private func look(_ context: ChannelHandlerContext) {
        // A client that waits for its answer has nothing to say.
        let silence = isReading || underWay == 0 ? context.eventLoop.now - lastActive : .zero
        if silence >= Self.patience { context.close(promise: nil) } else { schedule(context, in: Self.patience - silence) }
    }
}
