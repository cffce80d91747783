import HTTPTypes
import NIOCore
import NIOHTTPTypes

/// Decides about each request of a connection when its head comes, and answers those that it refuses: they cost neither a task nor a
/// way through the framework, and a storm of them costs less than what it asks for.
///
/// Leaves a client that says nothing for long, in the middle of a request or between two. The framework would do so too, but does
/// not see what is refused here.
final class AdmissionHandler: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    static let patience = TimeAmount.seconds(30)
    /// Bytes of a body, after which its client need not go on.
    static let mostPassedOver = 1 << 20

    private let responder: ReadResponder
    /// The client's, once it has asked something.
    private var address: SocketAddress?
    /// Requests that were passed on, and that nobody has taken yet.
    private var arrivals = CircularBuffer<Arrival>()
    /// How many were passed on and are not answered yet: what comes behind them is answered after them.
    private var underWay = 0
    private var isReading = false
    /// What the request that is read is answered when it is there, or as soon as it is too much.
    private var refusal: (problem: HTTPProblem, arrival: Arrival, method: HTTPRequest.Method)?
    /// Whether the rest of the request that is read is passed over.
    private var isRefused = false
    /// Bytes of its body.
    private var passedOver = 0
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
            // What says `close`, the framework closes the connection after. Nor does this one wait for a client to take its answers.
            if case .failure(let problem) = arrival.ticket, underWay == 0, context.channel.isWritable, head.headerFields[.connection] != "close" {
                (refusal, isRefused, passedOver) = ((problem, arrival, head.method), true, 0)
                // A client that asks before it sends a body gets its answer instead.
                if head.headerFields.contains(.expect) { refuse(context) }
                return
            }
            arrivals.append(arrival)
            underWay += 1
        case .body(let part) where isRefused:
            passedOver += part.readableBytes
            if passedOver > Self.mostPassedOver { refuse(context) }
            return
        case .body: break
        case .end:
            isReading = false
            guard isRefused else { break }
            isRefused = false
            return refuse(context)
        }
        context.fireChannelRead(data)
    }

    /// Not before the request is there, if it can be helped: clients of HTTP/2 are known to end a body that is answered too early in a
    /// way that costs them the connection.
    private func refuse(_ context: ChannelHandlerContext) {
        guard let (problem, arrival, method) = refusal else { return }
        refusal = nil
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
        // A client that waits for its answer has nothing to say, nor one that takes a large one.
        let isExpected = isReading || underWay == 0 && context.channel.isWritable
        let silence = isExpected ? context.eventLoop.now - lastActive : .zero
        if silence >= Self.patience { context.close(promise: nil) } else { schedule(context, in: Self.patience - silence) }
    }
}
