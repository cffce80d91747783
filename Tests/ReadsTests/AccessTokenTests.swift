import Reads
import Synchronization
import Testing

@Suite struct AccessTokenTests {
    @Test func `a token is random, and knows when it is mistyped`() {
        let tokens = (0..<100).map { _ in TokenText.make() }
        #expect(Set(tokens).count == 100)
        for token in tokens {
            #expect(TokenText.isWellFormed(token) && token.hasPrefix("mr_") && token.utf8.count == 42)
            for place in token.indices where place > token.index(token.startIndex, offsetBy: 2) {
                var other = token
                other.replaceSubrange(place...place, with: token[place] == "A" ? "B" : "A")
                #expect(!TokenText.isWellFormed(other), "\(token) \(other)")
            }
        }
        for text in ["", "mr_", String(tokens[0].dropLast()), tokens[0] + "x", "xx_" + tokens[0].dropFirst(3), tokens[0].replacing("_", with: "é")] {
            #expect(!TokenText.isWellFormed(text))
        }
        #expect(TokenText.hash(of: "abc").prefix(4) == [0xBA, 0x78, 0x16, 0xBF])
    }

    private static func token(_ text: String, expires: Int64? = nil, revoked: Int64? = nil) -> AccessToken {
        AccessToken(id: "1", name: "test", hash: TokenText.hash(of: text), created: 0, expires: expires, revoked: revoked)
    }

    @Test func `it is valid until it expires or is revoked`() {
        #expect(Self.token("x").isValid(at: .max))
        #expect(Self.token("x", expires: 10).isValid(at: 9))
        #expect(!Self.token("x", expires: 10).isValid(at: 10))
        #expect(!Self.token("x", revoked: 10).isValid(at: 0))
    }

    @Test func `what is known is looked up again, and counts on where that fails`() async throws {
        struct Failure: Error {}
        let (good, old, unknown) = (TokenText.make(), TokenText.make(), TokenText.make())
        let answers = Mutex<[(tokens: [AccessToken], clock: Int64)]>([([Self.token(good), Self.token(old, expires: 5)], 10), ([], 10)])
        let looks = Mutex(0)
        let book = TokenBook {
            looks.withLock { $0 += 1 }
            guard let answer = answers.withLock({ $0.isEmpty ? nil : $0.removeFirst() }) else { throw Failure() }
            return answer
        }
        #expect(book.isEmpty == nil)
        await book.open()
        #expect(book.isEmpty == false)
        #expect(book.token(good)?.id == "1")
        #expect(book.token(old) == nil && book.token(unknown) == nil && book.token("x") == nil)
        let began = ContinuousClock.now
        while book.token(good) != nil, .now - began < .seconds(300) { try await Task.sleep(for: .milliseconds(10)) }
        #expect(book.isEmpty == true)
        while looks.withLock({ $0 }) < 3, .now - began < .seconds(300) { try await Task.sleep(for: .milliseconds(10)) }
        #expect(looks.withLock { $0 } >= 3)
        #expect(book.isEmpty == true)
    }

    @Test func `the stronger the consistency, the more it takes`() {
        #expect(ReadConsistency.eventual < .causal && ReadConsistency.causal < .strong && ReadConsistency.eventual < .strong)
    }
}
