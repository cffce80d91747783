import Events
import HTTPTypes
import NIOCore
import Reads
import Synchronization
import Values

/// Who may read what, and how often.
final class Admission: Sendable {
    private struct Buckets {
        var all: TokenBucket?
        var tokens: [String: TokenBucket] = [:]
    }

    private let book: TokenBook
    private let issued: IssuedTokens?
    private let storm: Storm
    private let buckets: Mutex<Buckets>

    private static let mostBuckets = 100_000

    /// - Parameter rate: requests a second in all; nil for no limit.
    init(_ book: TokenBook, _ issued: IssuedTokens?, storm: Storm, rate: Int?) {
        self.storm = storm
        self.book = book
        self.issued = issued
        buckets = Mutex(Buckets(all: rate.map { TokenBucket(rate: $0, at: .now) }))
    }

    /// Whoever asks.
    enum Reader {
        /// nil for somebody on this machine, where there are no tokens.
        case known(AccessToken?)
        /// Only its issuer's keys tell whether this is a token.
        case unverified(String)
    }

    func reader(_ fields: HTTPFields, _ host: String?, from address: SocketAddress?) throws(HTTPProblem) -> Reader {
        guard let authorization = fields[.authorization] else {
            guard let isOpen = issued == nil ? book.isEmpty : false else {
                throw Self.notReadYet
            }
            // By another name of this machine, a page of somebody else's in a browser would come.
            if isOpen, address?.isLoopback ?? false, Self.isLocal(host), !Self.proxied.contains(where: fields.contains) { return .known(nil) }
            throw Self.unauthorized(
                isOpen ? "without any token only this machine is served, by its own name and not through a proxy" : "a token is needed",
                hint: "make one with millrace token create, and send Authorization: Bearer TOKEN")
        }
        let scheme = authorization.utf8.prefix { $0 != UInt8(ascii: " ") }
        let credentials = authorization.utf8[scheme.endIndex...].drop { $0 == UInt8(ascii: " ") }
        guard Substring(scheme).lowercased() == "bearer", !credentials.isEmpty else { throw Self.invalid }
        let text = String(Substring(credentials))
        if let issued, IssuedTokens.isWellFormed(text) { return issued.known(text).map { .known($0) } ?? .unverified(text) }
        guard book.isEmpty != nil else { throw Self.notReadYet }
        guard let token = book.token(text) else { throw Self.invalid }
        return .known(token)
    }

    /// The token that a text is.
    func verified(_ text: String) async throws(HTTPProblem) -> AccessToken {
        let token = await issued?.token(text)
        guard issued?.hasKeys ?? false else { throw Self.notReadYet }
        guard let token else { throw Self.invalid }
        return token
    }

    /// One text for all: whoever guesses is told nothing.
    private static var invalid: HTTPProblem { unauthorized("the token is not valid", hint: "see millrace token list") }

    private static var notReadYet: HTTPProblem {
        HTTPProblem(.serverUnreachable, "who may read could not be read yet", hint: "ask again in a moment", retryAfter: 1)
    }

    /// What proxies add.
    private static let proxied: [HTTPField.Name] = [.forwarded, .forwardedFor, .realIP, .via]

    private static func isLocal(_ host: String?) -> Bool {
        guard let host, !host.isEmpty else { return true }
        if host.hasPrefix("[") { return host.prefix { $0 != "]" } == "[::1" }
        let name = host.utf8.firstIndex(of: UInt8(ascii: ":")).map { String(host[..<$0]) } ?? host
        // A number: whatever begins with one could be anybody's name.
        return name == "localhost" || ((try? SocketAddress(ipAddress: name, port: 0))?.isLoopback ?? false)
    }

    private static func unauthorized(_ detail: String, hint: String) -> HTTPProblem {
        HTTPProblem(.unauthorized, detail, hint: hint, headers: [.wwwAuthenticate: "Bearer"])
    }

    /// Takes what a request costs that asks for this. Each id of a batch is a read, and how many there are stands in its body.
    func take(of token: AccessToken?, for route: Route) throws(HTTPProblem) {
        if !route.isBatch { try take(1, of: token) }
    }

    /// Takes so many reads from what may be done now. The token's own limit comes first: whoever goes beyond it takes nothing from
    /// the others.
    func take(_ count: Int, of token: AccessToken?) throws(HTTPProblem) {
        let now = ContinuousClock.now
        let refused = buckets.withLock { buckets -> (bucket: TokenBucket, wait: Duration)? in
            if let token, let rate = token.rate {
                var bucket = buckets.tokens[token.id] ?? TokenBucket(rate: rate, at: now)
                let wait = bucket.take(count, at: now)
                // More than anybody makes by hand are of an issuer, whose subjects are without end.
                if buckets.tokens.count >= Self.mostBuckets { buckets.tokens = [:] }
                buckets.tokens[token.id] = bucket
                if let wait { return (bucket, wait) }
            }
            guard let wait = buckets.all?.take(count, at: now), let all = buckets.all else { return nil }
            return (all, wait)
        }
        guard let (bucket, wait) = refused else { return }
        storm.refused()
        let (left, reset) = bucket.left
        let headers: HTTPFields = [
            .rateLimitPolicy: "\"default\";q=\(Int(bucket.rate));w=1", .rateLimit: "\"default\";r=\(left);t=\(Int((reset / .seconds(1)).rounded(.up)))",
        ]
        throw HTTPProblem(
            .rateLimited, "more than \(Int(bucket.rate)) reads a second", hint: "ask more slowly, or for many with :batchGet",
            retryAfter: max(1, Int((wait / .seconds(1)).rounded(.up))), headers: headers)
    }
}

extension SocketAddress {
    /// Of this machine, whoever listens.
    fileprivate var isLoopback: Bool {
        switch self {
        // Of sockaddr_in and sockaddr_in6, the address: each request asks, and its text takes longer than the rest of the question.
        case .v4(let address): withUnsafeBytes(of: address.address) { $0[4] == 127 }
        case .v6(let address): withUnsafeBytes(of: address.address) { $0[8..<23].allSatisfy { $0 == 0 } && $0[23] == 1 }
        case .unixDomainSocket: true
        }
    }
}
