import CryptoExtras
import Foundation
import JWTKit
import Reads
import Synchronization
import Testing

@testable import ReadAPI

@Suite struct IssuedTokensTests {
    private struct Claims: JWTPayload {
        struct Rights: Codable, Sendable {
            var models: [String]?
            var fields: [String]?
            var rate: Int?
            var consistency: String?
            var model: [String]?
        }

        var iss: String? = "https://id.example.com/"
        var aud: [String]? = ["other", "millrace"]
        var exp: Double? = Date().timeIntervalSince1970 + 60
        var nbf: Double?
        var sub: String? = "shop"
        var millrace: Rights? = Rights()

        func verify(using algorithm: some JWTAlgorithm) throws {}
    }

    private let key = ES256PrivateKey()
    private let other = ES256PrivateKey()

    private static func set(_ keys: [(ES256PrivateKey, String)]) throws -> String {
        let members = try keys.map { key, name in
            let point = try #require(key.publicKey.parameters)
            // As base64url has it.
            func part(_ text: String) -> String { text.replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "") }
            return #"{"kty":"EC","crv":"P-256","alg":"ES256","kid":"\#(name)","x":"\#(part(point.x))","y":"\#(part(point.y))"}"#
        }
        return "{\"keys\":[\(members.joined(separator: ","))]}"
    }

    private static func sign(_ claims: Claims, _ key: ES256PrivateKey, _ name: String = "a") async throws -> String {
        let signers = JWTKeyCollection()
        await signers.add(ecdsa: key, kid: JWKIdentifier(string: name))
        return try await signers.sign(claims, kid: JWKIdentifier(string: name))
    }

    private func tokens(_ load: @escaping @Sendable () async throws -> String) async -> IssuedTokens {
        let tokens = IssuedTokens(issuer: "https://id.example.com/", audience: "millrace", load: load)
        await tokens.open()
        return tokens
    }

    @Test func `what an issuer has signed for Millrace is a token with the rights that it says`() async throws {
        let set = try Self.set([(key, "a")])
        let tokens = await tokens { set }
        let text = try await Self.sign(Claims(millrace: .init(models: ["product"], fields: ["name"], rate: 5, consistency: "causal")), key)
        #expect(IssuedTokens.isWellFormed(text) && tokens.known(text) == nil)
        _ = await tokens.token(text)
        let (known, again) = (try #require(tokens.known(text)), try #require(await tokens.token(text)))
        for token in [known, again] {
            #expect(token.models == ["product"] && token.fields == ["name"] && token.rate == 5 && token.consistency == .causal && token.id == "jwt:shop")
        }
        let all = try #require(await tokens.token(try await Self.sign(Claims(), key)))
        #expect(all.models == nil && all.fields == nil && all.rate == nil && all.consistency == .strong)
    }

    @Test func `anything else is none`() async throws {
        let set = try Self.set([(key, "a")])
        let tokens = await tokens { set }
        let now = Date().timeIntervalSince1970
        let mistakes: [Claims] = [
            Claims(iss: "https://elsewhere.example.com/"), Claims(iss: nil), Claims(aud: ["other"]), Claims(aud: nil), Claims(exp: now - 1), Claims(exp: nil),
            Claims(nbf: now + 60), Claims(millrace: nil), Claims(millrace: .init(consistency: "always")), Claims(millrace: .init(rate: 0)),
            Claims(millrace: .init(model: ["product"])),
        ]
        for claims in mistakes {
            let text = try await Self.sign(claims, key)
            #expect(await tokens.token(text) == nil, "\(claims)")
        }
        let good = try await Self.sign(Claims(), key)
        let parts = good.split(separator: ".")
        let forged = try await Self.sign(Claims(), other).split(separator: ".")
        func header(_ text: String) -> String { Data(text.utf8).base64EncodedString().replacing("=", with: "") }
        for text in [
            "\(parts[0]).\(parts[1]).\(forged[2])", "\(header(#"{"alg":"none","typ":"JWT"}"#)).\(parts[1]).", "\(parts[0]).\(parts[1]).", "a.b.c", "..",
            "\(header(#"{"alg":"HS256","kid":"a"}"#)).\(parts[1]).\(parts[2])",
        ] { #expect(await tokens.token(text) == nil, "\(text)") }
        #expect(await tokens.token(good) != nil)
        #expect(!IssuedTokens.isWellFormed("mr_abc") && !IssuedTokens.isWellFormed("a.b.c" + String(repeating: "x", count: 9000)))
    }

    @Test func `a token ends when it says, also where it was known`() async throws {
        let set = try Self.set([(key, "a")])
        let tokens = await tokens { set }
        let end = Date().timeIntervalSince1970.rounded(.up) + 20
        let text = try await Self.sign(Claims(exp: end), key)
        #expect(await tokens.token(text)?.isValid(at: Int64(end * 1000) - 1) == true)
        #expect(await tokens.token(text)?.isValid(at: Int64(end * 1000)) == false)
    }

    @Test func `an end beyond all clocks is one, and a token's head does not choose a key's algorithm`() async throws {
        let rsa = try Insecure.RSA.PrivateKey(pem: _RSA.Signing.PrivateKey(keySize: .bits2048).pemRepresentation)
        let (modulus, exponent) = try rsa.publicKey.getKeyPrimitives()
        func part(_ data: Data) -> String { data.base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "") }
        // As some issuers publish theirs: without an algorithm, and beside keys of other kinds.
        let set = """
            {"keys":[{"kty":"oct","kid":"o","k":"AAAA"},{"kty":"RSA","n":"x"},{"kty":"EC","crv":"none","kid":"e"},
            {"kty":"RSA","kid":"r","use":"sig","n":"\(part(modulus))","e":"\(part(exponent))"}]}
            """
        let tokens = await tokens { set }
        func sign(_ algorithm: DigestAlgorithm, _ claims: Claims = Claims()) async throws -> String {
            let signers = JWTKeyCollection()
            await signers.add(rsa: rsa, digestAlgorithm: algorithm, kid: "r")
            return try await signers.sign(claims, kid: "r")
        }
        #expect(await tokens.token(try await sign(.sha512)) == nil)
        #expect(await tokens.token(try await sign(.sha256)) != nil)
        #expect(await tokens.token(try await sign(.sha256, Claims(exp: 9.3e18)))?.isValid(at: 1 << 40) == true)
    }

    @Test func `without keys nobody is let in, and the issuer is not asked for each token`() async throws {
        let asked = Mutex(0)
        let tokens = await tokens {
            asked.withLock { $0 += 1 }
            throw CancellationError()
        }
        let text = try await Self.sign(Claims(), key)
        for _ in 0..<20 { #expect(await tokens.token(text) == nil) }
        #expect(asked.withLock(\.self) <= 2)
    }
}
