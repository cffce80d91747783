import Events
import HTTPTypes
import Hummingbird
import NIOCore
import Values

/// What a request comes with.
struct ReadContext: InitializableFromSource {
    let channel: any Channel

    init(source: ApplicationRequestContextSource) { channel = source.channel }
}

/// Answers requests: takes them apart, lets them in, has them answered, and says what came of it.
struct ReadResponder: HTTPResponder {
    /// nil before anything can be read.
    let setup: @Sendable () -> ReadSetup?
    let metrics: ReadMetrics

    func respond(to request: Request, context: ReadContext) async -> Response {
        let began = ContinuousClock.now
        metrics.began()
        let given = Self.requestID(request.headers[.requestID])
        var response: Response
        var route: Route?
        do throws(HTTPProblem) {
            let target = try RequestTarget(request.head.path ?? "/")
            route = target.route
            response = try await question(request, target, context).answer()
            // What went well has one only where the caller has one to tell it by.
            if let given { response.headers[.requestID] = given }
        } catch {
            let requestID = given ?? String(UInt64.random(in: .min ... .max), radix: 36)
            response = error.response(requestID: requestID)
            response.headers[.requestID] = requestID
        }
        response.headers[.contentTypeOptions] = "nosniff"
        metrics.ended(route, request.method, response.status, after: .now - began)
        return request.method == .head ? response.createHeadResponse() : response
    }

    /// A caller's own is kept where it is harmless.
    private static func requestID(_ given: String?) -> String? {
        func isPlain(_ byte: UInt8) -> Bool { (0x21...0x7E).contains(byte) && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\") }
        if let given, 1...128 ~= given.utf8.count, given.utf8.allSatisfy(isPlain) { return given }
        return nil
    }

    /// Throws for what is no question that this asker may ask.
    private func question(_ request: Request, _ target: RequestTarget, _ context: ReadContext) async throws(HTTPProblem) -> ReadQuestion {
        // RFC 9112, 3.2: whoever stands between may have taken another for it.
        guard let host = request.head.authority, request.headers[values: .hosts].allSatisfy({ $0 == host }) else {
            throw .badRequest("the request does not say one host", hint: "send one Host")
        }
        guard target.route.methods.contains(request.method) else {
            let allowed = target.route.methods.map(\.rawValue).joined(separator: ", ")
            throw HTTPProblem(.badMethod, "\(request.method) is not for this path", hint: "use \(allowed)", headers: [.allow: allowed])
        }
        guard let setup = setup() else {
            throw HTTPProblem(.serverUnreachable, "the service is starting", hint: "ask again in a moment", retryAfter: 1)
        }
        let token = try await setup.admission.reader(request.headers, host, from: context.channel.remoteAddress)
        return ReadQuestion(request: request, target: target, channel: context.channel, setup: setup, token: token, metrics: metrics)
    }
}
