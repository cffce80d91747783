import Events
import HTTPTypes

/// What a path asks for.
enum Route: Hashable {
    case models
    case document(model: String, id: String)
    case batch(model: String)
    case page(model: String)
    case history(model: String, id: String)
    case schema(model: String)
    case openAPI
    case docs

    /// What stands for all paths of its kind.
    var name: String {
        switch self {
        case .models: "/v1"
        case .document: "/v1/{model}/{id}"
        case .batch: "/v1/{model}:batchGet"
        case .page: "/v1/{model}"
        case .history: "/v1/{model}/{id}/history"
        case .schema: "/v1/{model}/schema"
        case .openAPI: "/openapi.json"
        case .docs: "/docs"
        }
    }

    /// The methods that it takes.
    var methods: [HTTPRequest.Method] {
        if case .batch = self { [.post] } else { [.get, .head] }
    }
}

/// A request's path and query, taken apart.
struct RequestTarget: Hashable {
    var route: Route
    var query: [Parameter]

    struct Parameter: Hashable {
        var name: String
        var value: String
    }

    /// Bytes of path and query.
    static let longest = 4096

    init(_ text: String) throws(HTTPProblem) {
        guard text.utf8.count <= Self.longest else {
            throw HTTPProblem(
                .requestTooLarge, "the URL has \(text.utf8.count) bytes, and \(Self.longest) are allowed",
                hint: "ask for many ids with POST :batchGet", status: .uriTooLong)
        }
        let parts = text.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        route = try Self.route(parts[0])
        query = parts.count > 1 ? try Self.parameters(parts[1]) : []
    }

    private static func route(_ path: Substring) throws(HTTPProblem) -> Route {
        let unknown = HTTPProblem(.noSuchPath, "there is nothing at this path", hint: "GET /v1 names the models")
        let segments = path.split(separator: "/", omittingEmptySubsequences: false)
        if path == "/openapi.json" { return .openAPI }
        if path == "/docs" { return .docs }
        guard segments.first == "", segments.count > 1, segments[1] == "v1" else { throw unknown }
        switch segments.count {
        case 2: return .models
        case 3:
            if segments[2].isEmpty { return .models }
            if segments[2].hasSuffix(":batchGet") { return .batch(model: try decode(segments[2].dropLast(":batchGet".count))) }
            return .page(model: try decode(segments[2]))
        // As it stands: a document of this id has a letter of it percent-encoded.
        case 4 where segments[3] == "schema": return .schema(model: try decode(segments[2]))
        case 4: return .document(model: try decode(segments[2]), id: try decodeID(segments[3]))
        case 5 where segments[4] == "history": return .history(model: try decode(segments[2]), id: try decodeID(segments[3]))
        default: throw unknown
        }
    }

    private static func decodeID(_ text: Substring) throws(HTTPProblem) -> String {
        let id = try decode(text)
        guard Envelope.keyLength.contains(id.utf8.count), !id.utf8.contains(0) else {
            throw .badRequest(
                "an id has \(Envelope.keyLength.lowerBound) to \(Envelope.keyLength.upperBound) bytes and no NUL",
                hint: "percent-encode what is not plain in a path")
        }
        return id
    }

    private static func parameters(_ text: Substring) throws(HTTPProblem) -> [Parameter] {
        var parameters: [Parameter] = []
        for part in text.split(separator: "&", omittingEmptySubsequences: true) {
            let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            // As forms are sent: a space may be a plus.
            let name = try decode(Substring(pair[0].replacing("+", with: " ")))
            guard pair.count == 2 else { throw .badRequest("\(name) in the query has no value", hint: "write \(name)=…") }
            parameters.append(Parameter(name: name, value: try decode(Substring(pair[1].replacing("+", with: " ")))))
        }
        return parameters
    }

    /// Percent-encoded UTF-8.
    private static func decode(_ text: Substring) throws(HTTPProblem) -> String {
        guard text.utf8.contains(UInt8(ascii: "%")) else { return String(text) }
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard rest.count >= 2, let digits = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16), rest.first != UInt8(ascii: "+") else {
                throw .badRequest("the URL has a % without two hexadecimal digits behind it", hint: "write %25 for a percent sign")
            }
            bytes.append(digits)
            rest = rest.dropFirst(2)
        }
        guard let text = String(validating: bytes, as: UTF8.self) else { throw .badRequest("the URL is not UTF-8") }
        return text
    }
}
