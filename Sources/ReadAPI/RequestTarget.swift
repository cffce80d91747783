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

    var isBatch: Bool {
        if case .batch = self { true } else { false }
    }

    /// The methods that it takes.
    var methods: [HTTPRequest.Method] { isBatch ? [.post] : [.get, .head] }
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
        // By bytes: what separates is ASCII, and no other character of UTF-8 has its bytes.
        let parts = Array(text.utf8).split(separator: UInt8(ascii: "?"), maxSplits: 1, omittingEmptySubsequences: false)
        route = try Self.route(parts[0])
        query = parts.count > 1 ? try Self.parameters(parts[1]) : []
    }

    private static func route(_ path: ArraySlice<UInt8>) throws(HTTPProblem) -> Route {
        let segments = path.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        func isText(_ segment: Int, _ text: StaticString) -> Bool { text.withUTF8Buffer { segments[segment].elementsEqual($0) } }
        let isVersioned = segments.count > 1 && segments[0].isEmpty && isText(1, "v1")
        switch segments.count {
        case 2 where segments[0].isEmpty && isText(1, "openapi.json"): return .openAPI
        case 2 where segments[0].isEmpty && isText(1, "docs"): return .docs
        case 2 where isVersioned: return .models
        case 3 where isVersioned:
            if segments[2].isEmpty { return .models }
            let name = try decode(segments[2])
            return name.hasSuffix(":batchGet") ? .batch(model: String(name.dropLast(":batchGet".count))) : .page(model: name)
        // As it stands: a document of this id has a letter of it percent-encoded.
        case 4 where isVersioned && isText(3, "schema"): return .schema(model: try decode(segments[2]))
        case 4 where isVersioned: return .document(model: try decode(segments[2]), id: try decodeID(segments[3]))
        case 5 where isVersioned && isText(4, "history"): return .history(model: try decode(segments[2]), id: try decodeID(segments[3]))
        default: throw HTTPProblem(.noSuchPath, "there is nothing at this path", hint: "GET /v1 names the models")
        }
    }

    private static func decodeID(_ text: ArraySlice<UInt8>) throws(HTTPProblem) -> String {
        let id = try decode(text)
        guard Envelope.keyLength.contains(id.utf8.count), !id.utf8.contains(0) else {
            throw .badRequest(
                "an id has \(Envelope.keyLength.lowerBound) to \(Envelope.keyLength.upperBound) bytes and no NUL",
                hint: "percent-encode what is not plain in a path")
        }
        return id
    }

    private static func parameters(_ text: ArraySlice<UInt8>) throws(HTTPProblem) -> [Parameter] {
        var parameters: [Parameter] = []
        // As forms are sent: a space may be a plus.
        for part in text.map({ $0 == UInt8(ascii: "+") ? UInt8(ascii: " ") : $0 }).split(separator: UInt8(ascii: "&")) {
            let pair = part.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            let name = try decode(pair[0])
            guard pair.count == 2 else { throw .badRequest("\(name) in the query has no value", hint: "write \(name)=…") }
            parameters.append(Parameter(name: name, value: try decode(pair[1])))
        }
        return parameters
    }

    /// Percent-encoded UTF-8.
    private static func decode(_ text: ArraySlice<UInt8>) throws(HTTPProblem) -> String {
        // As it came, it was UTF-8.
        guard text.contains(UInt8(ascii: "%")) else { return String(decoding: text, as: UTF8.self) }
        var rest = text
        var bytes: [UInt8] = []
        while let percent = rest.firstIndex(of: UInt8(ascii: "%")) {
            bytes += rest[..<percent]
            let digits = rest[percent...].dropFirst().prefix(2)
            guard digits.count == 2, digits.first != UInt8(ascii: "+"), let byte = UInt8(String(decoding: digits, as: UTF8.self), radix: 16) else {
                throw .badRequest("the URL has a % without two hexadecimal digits behind it", hint: "write %25 for a percent sign")
            }
            bytes.append(byte)
            rest = rest[digits.endIndex...]
        }
        guard let text = String(validating: bytes + rest, as: UTF8.self) else { throw .badRequest("the URL is not UTF-8") }
        return text
    }
}
