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
        arrival = try? channel.pipeline.syncOperations.handler(type: AdmissionHandler.self).take()
    }
}

/// Answers requests that were let in, refuses the others, and says what came of them.
struct ReadResponder: HTTPResponder {
    /// nil before anything can be read.
    let setup: @Sendable () -> ReadSetup?
    let metrics: ReadMetrics

    func respond(to request: Request, context: ReadContext) async -> Response {
        guard let arrival = context.arrival else { return Response(status: .internalServerError) }
        metrics.began()
        var response: Response
        do throws(HTTPProblem) {
            response = try await ReadQuestion(request, arrival.ticket.get(), context.channel, metrics).answer()
            response.headers[.contentTypeOptions] = "nosniff"
            // What went well has one only where the caller has one to tell it by.
            if let given = arrival.requestID { response.headers[.requestID] = given }
        } catch {
            let (head, body) = arrival.refusal(error)
            response = Response(status: head.status, headers: head.headerFields, body: .init(byteBuffer: body))
        }
        metrics.ended(arrival.route, request.method, response.status, after: .now - arrival.began)
        return request.method == .head ? response.createHeadResponse() : response
    }
}
