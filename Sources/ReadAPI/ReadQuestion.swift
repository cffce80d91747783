import HTTPTypes
import Hummingbird
import NIOCore
import Reads
import Values

/// A request that was let in, and what it is answered by.
///
/// A class, as its asynchronous functions would each keep a copy of it while they wait.
final class ReadQuestion {
    let request: Request
    let target: RequestTarget
    let channel: any Channel
    let setup: ReadSetup
    let metrics: ReadMetrics
    private let reader: Admission.Reader
    /// nil for whoever is on this machine, where there are no tokens.
    private(set) var token: AccessToken?

    init(_ request: Request, _ ticket: Arrival.Ticket, _ channel: any Channel, _ metrics: ReadMetrics) {
        self.request = request
        target = ticket.target
        self.channel = channel
        setup = ticket.setup
        self.metrics = metrics
        reader = ticket.reader
    }

    func answer() async throws(HTTPProblem) -> Response {
        switch reader {
        case .known(let token): self.token = token
        case .unverified(let text): try await verify(text)
        }
        switch target.route {
        case .models: return try models()
        case .document(let name, let id):
            let model = try begin(name)
            defer { end(model) }
            return try await document(id, of: model)
        case .batch(let name):
            let model = try begin(name)
            defer { end(model) }
            return try await batch(of: model)
        case .page(let name):
            let model = try begin(name)
            defer { end(model) }
            return try await page(of: model)
        case .history(let name, let id):
            let model = try begin(name)
            defer { end(model) }
            return try await history(of: id, in: model)
        case .schema(let name): return try schema(of: try setup.model(name, for: token))
        case .openAPI: return try openAPI()
        case .docs: return try docs()
        }
    }

    /// Throws where a token is none.
    private func verify(_ text: String) async throws(HTTPProblem) {
        token = try await setup.admission.verified(text)
        try setup.admission.take(of: token, for: target.route)
    }

    /// The model, of which one more is read until `end`.
    private func begin(_ name: String) throws(HTTPProblem) -> ReadModel {
        let model = try setup.model(name, for: token)
        try setup.load.begin(model.name)
        return model
    }

    private func end(_ model: ReadModel) { setup.load.end(model.name) }

    /// What the query says.
    func parameters(_ known: String...) throws(HTTPProblem) -> NamedParameters { try NamedParameters(target.query, known) }

    // MARK: What there is

    private func models() throws(HTTPProblem) -> Response {
        _ = try parameters()
        let models = setup.models(for: token).map { model -> Value in
            ["name": .string(model.name), "path": .string("/v1/\(model.name)"), "filters": .array(PageParameters.paths(of: model).map(Value.string))]
        }
        return JSONBody.response(["models": .array(models)])
    }

    private func schema(of model: ReadModel) throws(HTTPProblem) -> Response {
        _ = try parameters()
        return JSONBody.response(model.schema(id: "/v1/\(model.name)/schema"))
    }

    private func openAPI() throws(HTTPProblem) -> Response {
        _ = try parameters()
        return JSONBody.response(OpenAPI(models: setup.models(for: token), version: setup.version).document)
    }

    private func docs() throws(HTTPProblem) -> Response {
        _ = try parameters()
        let page = DocsPage(document: OpenAPI(models: setup.models(for: token), version: setup.version).document).html
        let headers: HTTPFields = [.contentType: "text/html; charset=utf-8", .contentSecurityPolicy: "default-src 'none'; style-src 'unsafe-inline'"]
        return Response(status: .ok, headers: headers, body: .init(byteBuffer: ByteBuffer(string: page)))
    }
}
