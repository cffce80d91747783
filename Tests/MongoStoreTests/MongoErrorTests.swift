import Events
import Projector
import Testing
import Values

@testable import MongoStore

/// What an error tells whoever called: wait, or fetch a person.
@Suite struct MongoErrorTests {
    @Test(arguments: [6, 7, 11, 64, 89, 91, 112, 189, 251, 262, 9001, 10107, 11600, 11602, 13435, 13436, 14031])
    func `elections, networks, conflicts and full disks pass`(code: UInt32) {
        let error = MongoError(code: code, operation: "test", message: "")
        #expect(error.isRetriable)
        #expect(Disposition.of(error) == .retry)
    }

    @Test(arguments: [2, 13, 18, 20, 121, 166, 8000, 10334])
    func `what the server will never take needs a person`(code: UInt32) {
        let error = MongoError(code: code, operation: "test", message: "")
        #expect(!error.isRetriable)
        #expect(Disposition.of(error) == .stop)
        #expect(error.problem == .serverRefused)
    }

    @Test func `an error of a transaction that the server calls transient passes, whatever its code`() {
        #expect(MongoError(code: 20, labels: ["TransientTransactionError"], operation: "test", message: "").isRetriable)
    }

    @Test func `a server that cannot be reached is told apart from one that refuses, and nobody's password is told`() async throws {
        let url = "mongodb://somebody:secret@127.0.0.1:1/?replicaSet=rs0"
        let connection = try MongoConnection(pool: MongoPool(url: url, connections: 1, selection: .milliseconds(200)), name: "test")
        let error = await #expect(throws: MongoError.self) { try await connection.command("admin", ["ping": 1]) }
        #expect(error?.problem == .serverUnreachable)
        #expect(error?.isRetriable == true)
        #expect(error?.serverCode == nil)
        #expect(error?.description.contains("is the replica set up") == true)
        #expect(error?.description.contains("secret") == false)
    }

    @Test func `a user that the server does not know is refused, with advice`() async throws {
        let url = try TestMongo.url().replacing("mongodb://", with: "mongodb://somebody:secret@")
        let connection = try MongoConnection(pool: MongoPool(url: url, connections: 1), name: "test")
        let error = await #expect(throws: MongoError.self) { try await connection.command("admin", ["ping": 1]) }
        #expect(error?.problem == .serverRefused)
        #expect(error?.isRetriable == false)
        #expect(error?.description.contains("check user, password and roles") == true)
        #expect(error?.description.contains("secret") == false)
    }

    @Test(arguments: ["http://127.0.0.1", "mongodb://", "mongodb://somebody:sec:ret@host", "mongodb://127.0.0.1/?tls=perhaps"])
    func `a URL that the driver does not take is refused without being told`(url: String) {
        let refusal = #expect(throws: Refusal.self) { try MongoPool(url: url) }
        #expect(refusal?.problem == .badConfiguration)
        #expect(refusal?.message.contains("ret") == false)
    }

    @Test func `no more connections than the pool has`() throws {
        let pool = try MongoPool(url: TestMongo.url(), connections: 1, selection: .milliseconds(100))
        let first = try MongoConnection(pool: pool, name: "test")
        let refusal = #expect(throws: Refusal.self) { try MongoConnection(pool: pool, name: "test") }
        #expect(refusal?.message.contains("all 1 MongoDB connections") == true)
        withExtendedLifetime(first) {}
    }
}
