import Events
import Hummingbird
import NIOCore

/// What a request comes with.
struct ReadContext: InitializableFromSource {
    let channel: any Channel
    /// nil where the client is gone: a connection that is closed has no handlers any more, and still gives the requests that it has read.
    let arrival: Arrival?

    init(source: ApplicationRequestContextSource) {
        channel = source.channel
        arrival = try? channel.pipeline.syncOperations.handler(type: ConnectionHandler.self).take()
    }
}

/// Answers the requests that a connection passes on, and says what came of them.
struct ReadResponder: HTTPResponder {
    /// nil before anything can be read.
    let setup: @Sendable () -> ReadSetup?
    let metrics: ReadMetrics

    func respond(to request: Request, context: ReadContext) async -> Response {
        guard let arrival = context.arrival else { return Response(status: .internalServerError) }
        metrics.began()
        let result: Result<HTTPAnswer, HTTPProblem>
        do throws(HTTPProblem) {
            result = .success(try await ReadQuestion(request, arrival.ticket.get(), context.channel, metrics).answer())
        } catch {
            result = .failure(error)
        }
        let answer = arrival.answer(result)
        metrics.ended(arrival.route, request.method, answer.status, after: .now - arrival.began)
        var response = Response(status: answer.status, body: request.method == .head ? .init() : .init(byteBuffer: answer.body))
        response.head = answer.head
        return response
    }
}
