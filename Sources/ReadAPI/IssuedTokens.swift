import Crypto
import Foundation
import JWTKit
import Reads
import Synchronization

/// Tokens that an issuer gives out: JWTs (RFC 7519) that one of his keys has signed, with a claim that says what may be read.
public final class IssuedTokens: Sendable {
    /// `iss`, `aud` and `exp` must be there, and `millrace`: `{"models": […], "fields": […], "rate": 100, "consistency": "causal"}`,
    /// each of them optional, as `millrace token create` has them, and nothing else: a right that is misspelt would be all rights.
    private struct Claims: JWTPayload {
        struct Rights: Codable, Sendable {
            var models: [String]?
            var fields: [String]?
            var rate: Int?
            var consistency: ReadConsistency?

            private struct Name: CodingKey {
                var stringValue: String
                var intValue: Int? { nil }

                init(stringValue: String) { self.stringValue = stringValue }
                init?(intValue: Int) { nil }
            }

            init(from decoder: any Decoder) throws {
                let members = try decoder.container(keyedBy: Name.self)
                for name in members.allKeys {
                    switch name.stringValue {
                    case "models": models = try members.decode([String].self, forKey: name)
                    case "fields": fields = try members.decode([String].self, forKey: name)
                    case "rate": rate = try members.decode(Int.self, forKey: name)
                    case "consistency": consistency = try members.decode(ReadConsistency.self, forKey: name)
                    default: throw DecodingError.dataCorruptedError(forKey: name, in: members, debugDescription: "there is no such right")
                    }
                }
            }
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
        /// The names of the keys.
        var names: Set<String> = []
        var asked: ContinuousClock.Instant?
        /// While the keys are being read.
        var looking: Task<Void, Never>?
        /// Those that were verified under these keys, by their hash.
        var known: [[UInt8]: AccessToken] = [:]
    }

    private let issuer: String
    private let audience: String
    private let load: @Sendable () async throws -> String
    private let state = Mutex(State())
    private let looking = Mutex<Repetition?>(nil)

    /// A key that the issuer has withdrawn counts for so long at most, where he answers.
    private static let refresh = Duration.seconds(300)
    /// Between two questions about a key that is not known.
    private static let pause = Duration.seconds(10)
    private static let mostKnown = 10_000
    /// Bytes.
    private static let longest = 8192
    /// Seconds since 1970: the end of the year 9999.
    private static let longestTime = 253_402_300_799.0

    /// - Parameters:
    ///   - issuer: what `iss` must be.
    ///   - audience: what `aud` must hold.
    ///   - load: the issuer's keys, as a JSON Web Key Set (RFC 7517).
    public init(issuer: String, audience: String, load: @escaping @Sendable () async throws -> String) {
        self.issuer = issuer
        self.audience = audience
        self.load = load
    }

    /// Reads the keys now and from then on again and again. Where that fails, those that are known count on.
    public func open() async {
        await look()
        looking.withLock { $0 = Repetition(every: Self.refresh, for: self) { await $0.look() } }
    }

    /// Reads the keys, once for all who ask meanwhile.
    private func look() async {
        let task = state.withLock { state in
            if let looking = state.looking { return looking }
            state.asked = .now
            let task = Task { await read() }
            state.looking = task
            return task
        }
        await task.value
    }

    private func read() async {
        let read = try? await Self.keys(in: load())
        state.withLock { state in
            state.looking = nil
            guard let (keys, names) = read, !names.isEmpty else { return }
            (state.keys, state.names, state.known) = (keys, names, [:])
        }
    }

    /// Those that can be used: a set may have others, for other purposes. Each has one algorithm, whatever a token says.
    private static func keys(in text: String) async throws -> (keys: JWTKeyCollection, names: Set<String>) {
        let (keys, decoder) = (JWTKeyCollection(), JSONDecoder())
        var names: Set<String> = []
        let set = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
        for var members in set?["keys"] as? [[String: Any]] ?? [] {
            let curves = ["P-256": "ES256", "P-384": "ES384", "P-521": "ES512", "Ed25519": "EdDSA"]
            let usual = members["kty"] as? String == "RSA" ? "RS256" : curves[members["crv"] as? String ?? ""]
            members["alg"] = members["alg"] ?? usual
            guard members["kty"] as? String != "oct", members["use"] as? String ?? "sig" == "sig", let name = members["kid"] as? String,
                let data = try? JSONSerialization.data(withJSONObject: members), let key = try? decoder.decode(JWK.self, from: data),
                (try? await keys.add(jwk: key)) != nil
            else { continue }
            names.insert(name)
        }
        return (keys, names)
    }

    /// Whether any key could be read.
    var hasKeys: Bool { state.withLock { $0.keys != nil } }

    /// Whether a text has the form of one.
    static func isWellFormed(_ text: String) -> Bool { text.utf8.count <= longest && text.utf8.count(where: { $0 == UInt8(ascii: ".") }) == 2 }

    /// The token that a text is, if it is valid now and was verified before.
    func known(_ text: String) -> AccessToken? {
        let hash = TokenText.hash(of: text)
        return state.withLock { $0.known[hash] }.flatMap(Self.valid)
    }

    private static func valid(_ token: AccessToken) -> AccessToken? { token.isValid(at: now) ? token : nil }

    /// The token that a text is, if it is valid now.
    func token(_ text: String) async -> AccessToken? {
        let hash = TokenText.hash(of: text)
        if let token = state.withLock({ $0.known[hash] }) { return Self.valid(token) }
        if let token = await verified(text, hash) { return token }
        // It may be of a key that is newer than those that are known.
        let name = Self.keyName(of: text)
        let mayAsk = state.withLock { state in
            !state.names.contains(name) && (state.looking != nil || state.asked.map { .now - $0 > Self.pause } ?? true)
        }
        guard mayAsk else { return nil }
        await look()
        return await verified(text, hash)
    }

    private func verified(_ text: String, _ hash: [UInt8]) async -> AccessToken? {
        guard let keys = state.withLock(\.keys), let claims = try? await keys.verify(text, as: Claims.self), claims.iss.value == issuer,
            (try? claims.aud.verifyIntendedAudience(includes: audience)) != nil
        else { return nil }
        let rights = claims.millrace
        guard rights.rate.map({ $0 > 0 }) ?? true else { return nil }
        // An end that no clock reaches is one.
        let end = Int64(min(claims.exp.value.timeIntervalSince1970, Self.longestTime) * 1000)
        // Who it is for has one limit, however many tokens he has.
        let token = AccessToken(
            id: "jwt:\(claims.sub?.value ?? "")", name: claims.sub?.value ?? "", hash: hash, models: rights.models, fields: rights.fields,
            rate: rights.rate, consistency: rights.consistency ?? .strong, created: 0, expires: end)
        state.withLock { state in
            // Under keys that were withdrawn meanwhile it is not to be known.
            guard state.keys === keys else { return }
            if state.known.count >= Self.mostKnown { state.known = [:] }
            state.known[hash] = token
        }
        return token
    }

    /// The `kid` of its head.
    private static func keyName(of text: String) -> String {
        guard let head = Base64URL.decode(text.prefix { $0 != "." }), let members = try? JSONSerialization.jsonObject(with: Data(head)) as? [String: Any] else {
            return ""
        }
        return members["kid"] as? String ?? ""
    }

    private static var now: Int64 { Int64(Date().timeIntervalSince1970 * 1000) }
}
