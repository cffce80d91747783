import Events
import Projector
import Testing

@testable import RedisBuffer

@Suite struct RedisErrorTests {
    @Test(arguments: [
        ("OOM command not allowed when used memory > 'maxmemory'.", "OOM", true, Problem.serverRefused),
        ("MISCONF Redis is configured to save RDB snapshots", "MISCONF", true, .serverRefused),
        ("LOADING Redis is loading the dataset in memory", "LOADING", true, .serverRefused),
        ("BUSY Redis is busy running a script", "BUSY", true, .serverRefused),
        ("READONLY You can't write against a read only replica.", "READONLY", true, .serverRefused),
        ("MASTERDOWN Link with MASTER is down", "MASTERDOWN", true, .serverRefused),
        ("NOREPLICAS Not enough good replicas to write.", "NOREPLICAS", true, .serverRefused),
        ("TRYAGAIN Multiple keys request during rehashing", "TRYAGAIN", true, .serverRefused),
        ("ERR max number of clients reached", "ERR", true, .serverRefused),
        ("something odd", "ERR", true, .serverRefused),
        ("WRONGTYPE Operation against a key", "WRONGTYPE", false, .wrongType),
        ("NOAUTH Authentication required.", "NOAUTH", false, .serverRefused),
        ("WRONGPASS invalid username-password pair", "WRONGPASS", false, .serverRefused),
        ("NOPERM this user has no permissions", "NOPERM", false, .serverRefused),
        ("DENIED Redis is running in protected mode", "DENIED", false, .serverRefused),
        ("CROSSSLOT Keys in request don't hash to the same slot", "CROSSSLOT", false, .unsafeServer),
        ("MOVED 3999 127.0.0.1:6381", "MOVED", false, .unsafeServer),
    ])
    func `what an error reply means`(reply: String, code: String, isRetriable: Bool, problem: Problem) {
        let error = RedisError(reply: reply, operation: "cut events:{a}")
        #expect(error.code.rawValue == code)
        #expect(error.isRetriable == isRetriable)
        #expect(error.problem == problem)
        #expect(Disposition.of(error) == (isRetriable ? .retry : .stop))
    }

    @Test func `a message holds no payload and no control characters`() {
        let error = RedisError(
            reply: "ERR unknown command 'RPUSH', with args beginning with: 'list' '{\"card\":4111}'\r\n", operation: "push")
        #expect(!error.description.contains("4111"))
        #expect(error.message == "unknown command 'RPUSH'")
        #expect(!RedisError(reply: "ERR a\u{1b}[31m\nb", operation: "x").message.contains { $0.isNewline || $0 == "\u{1b}" })
    }

    @Test(arguments: [
        ("", "da39a3ee5e6b4b0d3255bfef95601890afd80709"),
        ("abc", "a9993e364706816aba3e25717850c26c9cd0d89d"),
        ("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", "84983e441c3bd26ebaae4aa1f95129e5e54670f1"),
        (String(repeating: "a", count: 1000), "291e9a6c66994949b57ba5e650361e98fc36b1ba"),
    ])
    func `the published digests of SHA-1`(text: String, digest: String) {
        #expect(SHA1.hex(of: text) == digest)
    }
}
