import HTTPTypes
import NIOCore
import NIOHTTPTypes
import Reads

/// Decides about each request of a connection when its head comes. Those that are refused, and those that look a document up as it is,
/// it answers itself: they cost neither a task nor a way through the framework, so that a storm of them costs less than what it asks
/// for. The framework has the others.
///
/// Leaves a client that says nothing for long, in the middle of a request or between two. The framework would do so too, but does
/// not see what is answered here.
final class ConnectionHandler: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    /// A request that is answered here.
    private struct Own {
        let arrival: Arrival
        let method: HTTPRequest.Method
        let lookup: Result<DocumentLookup, HTTPProblem>

        /// nil where it is the framework's.
        init?(_ head: HTTPRequest, _ arrival: Arrival) {
            do throws(HTTPProblem) {
                guard let lookup = try DocumentLookup(head, arrival.ticket.get()) else { return nil }
                self.lookup = .success(lookup)
            } catch {
                lookup = .failure(error)
            }
            self.arrival = arrival
            method = head.method
        }
    }

    private enum Inbound {
        case part(NIOAny)
        case event(Any)
        case error(any Error)
    }

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
    /// Whether a client has said that it asks for nothing more (RFC 9112, 9.6): the framework answers that, and closes the connection.
    private var isLast = false
    /// The request that is read, where it is to be answered here: when it is there, or as soon as it is too much.
    private var own: Own?
    /// Whether the rest of the request that is read is passed over.
    private var isPassedOver = false
    /// Bytes of its body.
    private var passedOver = 0
    private var isLookingUp = false
    /// What came behind a request that is being looked up: all of it waits for the answer, as it may end the connection.
    private var held = CircularBuffer<Inbound>()
    private var isReadHeld = false
    private var isGoingOn = false
    private var lastActive = NIODeadline.uptimeNanoseconds(0)
    private var next: Scheduled<Void>?

    init(_ responder: ReadResponder) { self.responder = responder }

    /// The next of the requests that were passed on.
    func take() -> Arrival? { arrivals.popFirst() }

    func handlerAdded(context: ChannelHandlerContext) {
        lastActive = context.eventLoop.now
        schedule(context, in: Self.patience)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        next?.cancel()
        held = []
    }

    // MARK: What comes

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        lastActive = context.eventLoop.now
        receive(.part(data), context)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) { receive(.event(event), context) }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { receive(.error(error), context) }

    /// No more of a client than has come already, while that waits.
    func read(context: ChannelHandlerContext) {
        if held.isEmpty { context.read() } else { isReadHeld = true }
    }

    private func receive(_ inbound: Inbound, _ context: ChannelHandlerContext) {
        if isLookingUp || !held.isEmpty { held.append(inbound) } else { handle(inbound, context) }
    }

    private func handle(_ inbound: Inbound, _ context: ChannelHandlerContext) {
        switch inbound {
        case .part(let part): read(part, context)
        case .event(let event): context.fireUserInboundEventTriggered(event)
        case .error(let error): context.fireErrorCaught(error)
        }
    }

    private func goOn(_ context: ChannelHandlerContext) {
        guard !held.isEmpty, !isGoingOn else { return }
        isGoingOn = true
        while !isLookingUp, let inbound = held.popFirst() { handle(inbound, context) }
        isGoingOn = false
        context.fireChannelReadComplete()
        guard held.isEmpty, isReadHeld else { return }
        isReadHeld = false
        context.read()
    }

    private func read(_ part: NIOAny, _ context: ChannelHandlerContext) {
        switch unwrapInboundIn(part) {
        case .head(let head):
            isReading = true
            if address == nil { address = context.channel.remoteAddress }
            let arrival = Arrival(head, from: address, responder.setup())
            isLast = isLast || head.headerFields[.connection] == "close"
            // This one does not wait for a client to take its answers.
            if !isLast, underWay == 0, context.channel.isWritable, let own = Own(head, arrival) {
                (self.own, isPassedOver, passedOver) = (own, true, 0)
                // A client that asks before it sends a body gets its answer instead.
                if head.headerFields.contains(.expect) { answer(context) }
                return
            }
            arrivals.append(arrival)
            underWay += 1
        case .body(let part) where isPassedOver:
            passedOver += part.readableBytes
            if passedOver > Self.mostPassedOver { answer(context) }
            return
        case .body: break
        case .end:
            isReading = false
            guard isPassedOver else { break }
            isPassedOver = false
            return answer(context)
        }
        context.fireChannelRead(part)
    }

    // MARK: What is answered here

    /// Not before the request is there, if it can be helped: clients of HTTP/2 are known to end a body that is answered too early in a
    /// way that costs them the connection.
    private func answer(_ context: ChannelHandlerContext) {
        guard let own else { return }
        self.own = nil
        switch own.lookup {
        case .failure(let problem):
            let answer = own.arrival.answer(.failure(problem))
            responder.metrics.answered(own.arrival.route, own.method, answer.status, after: .now - own.arrival.began)
            write(answer, to: own.method, context)
        case .success(let lookup):
            isLookingUp = true
            responder.metrics.began()
            let loop = context.eventLoop
            let rest = NIOLoopBound((handler: self, context: context), eventLoop: loop)
            lookup.start { [arrival = own.arrival, method = own.method] result in
                @Sendable func end() { rest.value.handler.end(lookup, arrival, method, result, rest.value.context) }
                if loop.inEventLoop { end() } else { loop.execute(end) }
            }
        }
    }

    private func end(
        _ lookup: DocumentLookup, _ arrival: Arrival, _ method: HTTPRequest.Method, _ result: Result<LookupAnswer, ReadFailure>,
        _ context: ChannelHandlerContext
    ) {
        isLookingUp = false
        lastActive = context.eventLoop.now
        let answer = arrival.answer(Result { () throws(HTTPProblem) in try lookup.answer(result) })
        responder.metrics.ended(arrival.route, method, answer.status, after: .now - arrival.began)
        write(answer, to: method, context)
        goOn(context)
    }

    private func write(_ answer: HTTPAnswer, to method: HTTPRequest.Method, _ context: ChannelHandlerContext) {
        var head = answer.head
        head.headerFields[.date] = HTTPDate.now
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        if method != .head, answer.body.readableBytes > 0 { context.write(wrapOutboundOut(.body(answer.body)), promise: nil) }
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }

    // MARK: What the framework answers

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if case .end = unwrapOutboundIn(data) {
            // What is no HTTP is answered too, and was never passed on.
            underWay = max(0, underWay - 1)
            lastActive = context.eventLoop.now
        }
        context.write(data, promise: promise)
    }

    // MARK: Silence

    private func schedule(_ context: ChannelHandlerContext, in time: TimeAmount) {
        next = context.eventLoop.assumeIsolated().scheduleTask(in: time) { self.look(context) }
    }

    private func look(_ context: ChannelHandlerContext) {
        // A client that waits for its answer has nothing to say, nor one that takes a large one.
        let isExpected = !isLookingUp && (isReading || underWay == 0 && context.channel.isWritable)
        let silence = isExpected ? context.eventLoop.now - lastActive : .zero
        if silence >= Self.patience { context.close(promise: nil) } else { schedule(context, in: Self.patience - silence) }
    }
}
