import Events
import HTTPTypes
import NIOCore
import Reads

/// A request whose head has come, and what that decides: its body and what is read for it come later, if it is let in at all.
final class Arrival: Sendable {
    let began = ContinuousClock.now
    /// The caller's own.
    let requestID: String?
    /// nil where the path is none.
    let route: Route?
    let ticket: Result<Ticket, HTTPProblem>

    /// What an asker is let in with.
    struct Ticket {
        let target: RequestTarget
        let setup: ReadSetup
        let reader: Admission.Reader
    }

    /// - Parameter setup: nil before anything can be read.
    init(_ head: HTTPRequest, from address: SocketAddress?, _ setup: ReadSetup?) {
        requestID = Self.requestID(head.headerFields[.requestID])
        let target = Result { () throws(HTTPProblem) in try RequestTarget(head.path ?? "/") }
        route = (try? target.get())?.route
        ticket = Result { () throws(HTTPProblem) in try Self.ticket(for: target.get(), head, from: address, setup) }
    }

    private static func ticket(
        for target: RequestTarget, _ head: HTTPRequest, from address: SocketAddress?, _ setup: ReadSetup?
    ) throws(HTTPProblem) -> Ticket {
        // RFC 9112, 3.2: whoever stands between may have taken another for it.
        guard let host = head.authority, head.headerFields[values: .hosts].allSatisfy({ $0 == host }) else {
            throw .badRequest("the request does not say one host", hint: "send one Host")
        }
        guard target.route.methods.contains(head.method) else {
            let allowed = target.route.methods.map(\.rawValue).joined(separator: ", ")
            throw HTTPProblem(.badMethod, "\(head.method) is not for this path", hint: "use \(allowed)", headers: [.allow: allowed])
        }
        guard let setup else {
            throw HTTPProblem(.serverUnreachable, "the service is starting", hint: "ask again in a moment", retryAfter: 1)
        }
        let reader = try setup.admission.reader(head.headerFields, host, from: address)
        if case .known(let token) = reader { try setup.admission.take(of: token, for: target.route) }
        return Ticket(target: target, setup: setup, reader: reader)
    }

    /// A caller's own is kept where it is harmless.
    private static func requestID(_ given: String?) -> String? {
        func isPlain(_ byte: UInt8) -> Bool { (0x21...0x7E).contains(byte) && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\") }
        if let given, 1...128 ~= given.utf8.count, given.utf8.allSatisfy(isPlain) { return given }
        return nil
    }

    /// With what every answer says.
    func answer(_ result: Result<HTTPAnswer, HTTPProblem>) -> HTTPAnswer {
        do throws(HTTPProblem) {
            var answer = try result.get()
            answer.headers[.contentTypeOptions] = "nosniff"
            // What went well has one only where the caller has one to tell it by.
            if let requestID { answer.headers[.requestID] = requestID }
            return answer
        } catch {
            return error.answer(requestID: requestID ?? String(UInt64.random(in: .min ... .max), radix: 36))
        }
    }
}
