import HTTPTypes
import Hummingbird
import NIOCore
import Reads
import Values

/// A request of somebody who may ask, and what it is answered by. A class, as each step of the answer would keep a copy while it waits.
final class ReadQuestion {
    let request: Request
    let target: RequestTarget
    let channel: any Channel
    let setup: ReadSetup
    /// nil for whoever is on this machine, where there are no tokens.
    let token: AccessToken?
    let metrics: ReadMetrics

    /// Throws where a token is none.
    init(_ request: Request, _ ticket: Arrival.Ticket, _ channel: any Channel, _ metrics: ReadMetrics) async throws(HTTPProblem) {
        self.request = request
        target = ticket.target
        self.channel = channel
        setup = ticket.setup
        self.metrics = metrics
        switch ticket.reader {
        case .known(let token): self.token = token
        case .unverified(let text):
            token = try await setup.admission.verified(text)
            try setup.admission.take(of: token, for: target.route)
        }
    }

    func answer() async throws(HTTPProblem) -> HTTPAnswer {
        switch target.route {
        case .models: return try models()
        case .document(let name, let id): return try await admitted(name) { (model) throws(HTTPProblem) in try await document(id, of: model) }
        case .batch(let name): return try await admitted(name) { (model) throws(HTTPProblem) in try await batch(of: model) }
        case .page(let name): return try await admitted(name) { (model) throws(HTTPProblem) in try await page(of: model) }
        case .history(let name, let id): return try await admitted(name) { (model) throws(HTTPProblem) in try await history(of: id, in: model) }
        case .schema(let name): return try schema(of: try setup.model(name, for: token))
        case .openAPI: return try openAPI()
        case .docs: return try docs()
        }
    }

    private func admitted(_ name: String, _ body: (ReadModel) async throws(HTTPProblem) -> HTTPAnswer) async throws(HTTPProblem) -> HTTPAnswer {
        let model = try setup.model(name, for: token)
        guard setup.load.begin(model.name) else { throw HTTPProblem(ReadFailure.overloaded) }
        defer { setup.load.end(model.name) }
        return try await body(model)
    }

    /// What the query says.
    func parameters(_ known: [String]) throws(HTTPProblem) -> NamedParameters { try NamedParameters(target.query, known) }

    // MARK: What there is

    private func models() throws(HTTPProblem) -> HTTPAnswer {
        _ = try parameters([])
        let models = setup.models(for: token).map { model -> Value in
            ["name": .string(model.name), "path": .string("/v1/\(model.name)"), "filters": .array(PageParameters.paths(of: model).map(Value.string))]
        }
        return JSONBody.answer(["models": .array(models)])
    }

    private func schema(of model: ReadModel) throws(HTTPProblem) -> HTTPAnswer {
        _ = try parameters([])
        return JSONBody.answer(model.schema(id: "/v1/\(model.name)/schema"))
    }

    private func openAPI() throws(HTTPProblem) -> HTTPAnswer {
        _ = try parameters([])
        return JSONBody.answer(OpenAPI(models: setup.models(for: token), version: setup.version).document)
    }

    private func docs() throws(HTTPProblem) -> HTTPAnswer {
        _ = try parameters([])
        let page = DocsPage(document: OpenAPI(models: setup.models(for: token), version: setup.version).document).html
        let headers: HTTPFields = [.contentType: "text/html; charset=utf-8", .contentSecurityPolicy: "default-src 'none'; style-src 'unsafe-inline'"]
        return HTTPAnswer(status: .ok, headers: headers, body: ByteBuffer(string: page))
    }
}
