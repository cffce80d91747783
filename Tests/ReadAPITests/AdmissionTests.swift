import Events
import HTTPTypes
import NIOCore
import Reads
import Testing

@testable import ReadAPI

/// Who is let in, before anything is read.
@Suite struct AdmissionTests {
    private struct Unread: Error {}

    private static func admission(tokens: [AccessToken]? = [], issued: IssuedTokens? = nil, rate: Int? = nil) async -> Admission {
        let book = TokenBook {
            guard let tokens else { throw Unread() }
            return (tokens, 0)
        }
        await book.open()
        return Admission(book, issued, storm: Storm(), rate: rate)
    }

    private static func token(_ id: String, rate: Int? = nil) -> AccessToken { AccessToken(id: id, name: "", hash: Array(id.utf8), rate: rate, created: 0) }

    /// The problem that whoever asks is told; nil where he is let in.
    private static func refusal(
        _ admission: Admission, _ fields: HTTPFields = [:], host: String? = nil, from address: String = "127.0.0.1"
    ) async -> HTTPProblem? {
        do {
            let reader = try admission.reader(fields, host, from: try? SocketAddress(ipAddress: address, port: 4000))
            if case .unverified(let text) = reader { _ = try await admission.verified(text) }
            return nil
        } catch {
            return error
        }
    }

    @Test(arguments: [nil, "", "localhost", "localhost:8080", "127.0.0.1", "127.0.0.1:8080", "127.8.9.1", "[::1]", "[::1]:8080"])
    func `without any token this machine is served by its own names`(host: String?) async {
        let admission = await Self.admission()
        for address in ["127.0.0.1", "::1"] { #expect(await Self.refusal(admission, host: host, from: address) == nil) }
        #expect(await Self.refusal(admission, host: host, from: "10.0.0.1")?.problem == .unauthorized)
    }

    @Test(arguments: ["evil.example", "127.evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "[::2]", "10.0.0.1", "127.0.0.1@evil.example"])
    func `a name that leads here is somebody else's`(host: String) async {
        #expect(await Self.refusal(Self.admission(), host: host)?.problem == .unauthorized)
    }

    @Test func `nobody is let in while it is not known who may be`() async {
        let unread = await Self.admission(tokens: nil)
        #expect(await Self.refusal(unread)?.status == .serviceUnavailable)
        #expect(await Self.refusal(unread, [.authorization: "Bearer \(TokenText.make())"])?.status == .serviceUnavailable)

        let issued = IssuedTokens(issuer: "https://id.example.com/", audience: "millrace") { throw Unread() }
        await issued.open()
        let keyless = await Self.admission(issued: issued)
        #expect(await Self.refusal(keyless, [.authorization: "Bearer a.b.c"])?.status == .serviceUnavailable)
        // With an issuer, somebody on this machine is nobody in particular.
        #expect(await Self.refusal(keyless)?.problem == .unauthorized)
    }

    @Test func `whoever goes beyond his own limit takes nothing from the others`() async throws {
        let admission = await Self.admission(rate: 10)
        let (greedy, modest) = (Self.token("greedy", rate: 2), Self.token("modest"))
        // Time may pass meanwhile, and let some more in.
        func isRefused(_ token: AccessToken) -> Bool { (try? admission.take(1, of: token)) == nil }
        #expect((0..<1000).contains { _ in isRefused(greedy) })
        for _ in 0..<50 { _ = isRefused(greedy) }
        for _ in 0..<7 { #expect(!isRefused(modest)) }
        #expect((0..<1000).contains { _ in isRefused(modest) })
    }
}
