import Events
import HTTPTypes
import NIOCore
import Values

/// Why a request is refused, as RFC 9457 says it. A class, so that what throws none keeps no room for it at each step.
final class HTTPProblem: Error {
    let status: HTTPResponse.Status
    let problem: Problem
    /// What, where and why.
    let detail: String
    /// What to do.
    let hint: String?
    /// Seconds until it is worth trying again.
    let retryAfter: Int?
    /// Members of its own, such as the lag.
    let members: Document
    let headers: HTTPFields

    /// - Parameter status: nil for the problem's usual one.
    init(
        _ problem: Problem, _ detail: String, hint: String? = nil, status: HTTPResponse.Status? = nil, retryAfter: Int? = nil,
        members: Document = Document(), headers: HTTPFields = [:]
    ) {
        self.status = status ?? Self.status(of: problem)
        self.problem = problem
        self.detail = detail
        self.hint = hint
        self.retryAfter = retryAfter
        self.members = members
        self.headers = headers
    }

    static func badRequest(_ detail: String, hint: String? = nil) -> HTTPProblem { HTTPProblem(.badRequest, detail, hint: hint) }

    /// `{type, title, status, code, detail, hint, requestId}` and its own members.
    func answer(requestID: String) -> HTTPAnswer {
        var body: Document = [
            "type": .string("urn:millrace:problem:\(problem.rawValue)"), "title": .string(title), "status": .int32(Int32(status.code)),
            "code": .string(problem.rawValue), "detail": .string(detail),
        ]
        if let hint { body.append("hint", .string(hint)) }
        body.append("requestId", .string(requestID))
        body.fields += members.fields
        var headers = headers
        headers[.contentType] = "application/problem+json"
        headers[.cacheControl] = "no-store"
        headers[.contentTypeOptions] = "nosniff"
        headers[.requestID] = requestID
        if let retryAfter { headers[.retryAfter] = "\(retryAfter)" }
        return HTTPAnswer(status: status, headers: headers, body: ByteBuffer(bytes: JSON.bytes(.document(body))))
    }

    /// The problem's name in words. Names are of small letters and hyphens.
    private var title: String {
        var words = problem.rawValue.utf8.map { $0 == UInt8(ascii: "-") ? UInt8(ascii: " ") : $0 }
        words[0] -= UInt8(ascii: "a") - UInt8(ascii: "A")
        return String(decoding: words, as: UTF8.self)
    }
}
