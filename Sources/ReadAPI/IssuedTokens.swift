import Crypto
import Foundation
import JWTKit
import Reads
import Synchronization

/// Tokens that an issuer gives out: JWTs (RFC 7519) that one of his keys has signed, with a claim that says what may be read.
public final class IssuedTokens: Sendable {
    /// `iss`, `aud` and `exp` must be there, and `millrace`: `{"models": […], "fields": […], "rate": 100, "consistency": "causal"}`,
    /// each of them optional, as `millrace token create` has them.
    private struct Claims: JWTPayload {
        struct Rights: Codable, Sendable {
            var models: [String]?
            var fields: [String]?
            var rate: Int?
            var consistency: String?
        }

        var iss: IssuerClaim
        var aud: AudienceClaim
        var exp: ExpirationClaim
        var nbf: NotBeforeClaim?
        var sub: SubjectClaim?
        var millrace: Rights

        func verify(using algorithm: some JWTAlgorithm) throws {
            try exp.verifyNotExpired()
            try nbf?.verifyNotBefore()
        }
    }

    private struct State {
        var keys: JWTKeyCollection?
        var asked: ContinuousClock.Instant?
        /// Those that were verified under these keys, by their hash.
        var known: [[UInt8]: AccessToken] = [:]
    }

    private let issuer: String
    private let audience: String
    private let load: @Sendable () async throws -> String
    private let state = Mutex(State())
    private let work = Mutex<Task<Void, Never>?>(nil)

    /// A key that the issuer has withdrawn counts for so long at most, where he answers.
    private static let refresh = Duration.seconds(300)
    /// Between two questions about a key that is not known.
    private static let pause = Duration.seconds(10)
    private static let mostKnown = 10_000
    /// Bytes.
    private static let longest = 8192

    /// - Parameters:
    ///   - issuer: what `iss` must be.
    ///   - audience: what `aud` must hold.
    ///   - load: the issuer's keys, as a JSON Web Key Set (RFC 7517).
    public init(issuer: String, audience: String, load: @escaping @Sendable () async throws -> String) {
        self.issuer = issuer
        self.audience = audience
        self.load = load
    }

    deinit { work.withLock { $0?.cancel() } }

    /// Reads the keys now and from then on again and again. Where that fails, those that are known count on.
    public func open() async {
        await look()
        let task = Task { [weak self] in
            while !Task.isCancelled {
                try? await Task.sleep(for: Self.refresh)
                guard let self else { return }
                await self.look()
            }
        }
        work.withLock { $0 = task }
    }

    private func look() async {
        state.withLock { $0.asked = .now }
        let keys = JWTKeyCollection()
        guard let text = try? await load(), (try? await keys.add(jwksJSON: text)) != nil else { return }
        state.withLock { state in
            state.keys = keys
            state.known = [:]
        }
    }

    /// Whether a text has the form of one.
    static func isWellFormed(_ text: String) -> Bool { text.utf8.count <= longest && text.utf8.count(where: { $0 == UInt8(ascii: ".") }) == 2 }

    /// The token that a text is, if it is valid now.
    func token(_ text: String) async -> AccessToken? {
        let hash = TokenText.hash(of: text)
        if let token = state.withLock({ $0.known[hash] }) { return token.isValid(at: Self.now) ? token : nil }
        if let token = await verified(text, hash) { return token }
        // It may be of a key that is newer than those that are known.
        let mayAsk = state.withLock { $0.asked.map { .now - $0 > Self.pause } ?? true }
        guard mayAsk else { return nil }
        await look()
        return await verified(text, hash)
    }

    private func verified(_ text: String, _ hash: [UInt8]) async -> AccessToken? {
        guard let keys = state.withLock(\.keys), let claims = try? await keys.verify(text, as: Claims.self), claims.iss.value == issuer,
            (try? claims.aud.verifyIntendedAudience(includes: audience)) != nil
        else { return nil }
        let consistency = claims.millrace.consistency.map(ReadConsistency.init(rawValue:)) ?? .strong
        guard let consistency, claims.millrace.rate.map({ $0 > 0 }) ?? true else { return nil }
        // Who it is for has one limit, however many tokens he has.
        let token = AccessToken(
            id: "jwt:\(claims.sub?.value ?? "")", name: claims.sub?.value ?? "", hash: hash, models: claims.millrace.models, fields: claims.millrace.fields,
            rate: claims.millrace.rate, consistency: consistency, created: 0, expires: Int64(claims.exp.value.timeIntervalSince1970 * 1000))
        state.withLock { state in
            if state.known.count >= Self.mostKnown { state.known = [:] }
            state.known[hash] = token
        }
        return token
    }

    private static var now: Int64 { Int64(Date().timeIntervalSince1970 * 1000) }
}
