import BadNetwork
import Models
import Projector
import Testing
import Values

@testable import MongoStore

extension MongoSuite {
    /// Commits that are lost on the way, or arrive when nobody reckons with them any more.
    @Suite struct LateCommitTests {
        private static let commit = "commitTransaction"

        /// A store whose connections go through a proxy to the primary, and one beside it.
        private func run(_ body: (TestMongo, MongoProjectionStore, Proxy) async throws -> Void) async throws {
            try await TestMongo.run { mongo in
                let primary = try await mongo.outsider.command("admin", ["hello": 1])["primary"]?.asString
                let port = try #require(primary?.split(separator: ":").last.flatMap { Int($0) })
                let proxy = try Proxy(.mongodb, to: port)
                defer { proxy.stop() }
                let url = "mongodb://127.0.0.1:\(proxy.port)/?directConnection=true"
                let store = MongoProjectionStore(connection: try MongoConnection(url: url, name: "proxied"), database: mongo.database)
                // The collection is there, so that its creation is not in the transaction.
                let first = Commits.commit(try await store.checkpoint(), [Commits.insert("first")])
                #expect(try await store.commit(first) == .committed)
                try await body(mongo, store, proxy)
            }
        }

        @Test func `a commit whose answers are lost has happened once`() async throws {
            try await run { mongo, store, proxy in
                let commit = Commits.commit(try await store.checkpoint(), [Commits.insert("a")])
                let before = proxy.seen
                proxy.expect([.loseReply, .loseReply, .loseReply], of: Self.commit)
                #expect(try await store.commit(commit) == .committed)
                #expect(proxy.seen == before + 4)
                #expect(try await mongo.store().checkpoint() == commit.to)
                #expect(try await mongo.store().stored(["a"]).count == 1)
            }
        }

        @Test func `a commit that is delayed is made by its repetition, and does nothing when it arrives`() async throws {
            try await run { mongo, store, proxy in
                let commit = Commits.commit(try await store.checkpoint(), [Commits.insert("a")])
                proxy.expect([.hold, .hold, .hold], of: Self.commit)
                #expect(try await store.commit(commit) == .committed)
                let next = Commits.commit(commit.to, [.delete(key: "a")])
                #expect(try await store.commit(next) == .committed)
                proxy.deliver()
                #expect(try await mongo.store().checkpoint() == next.to)
                #expect(try await mongo.store().stored(["a"]).isEmpty)
            }
        }

        @Test func `a commit that reads say did not happen still can, and then it is another's conflict`() async throws {
            try await run { mongo, store, proxy in
                let other = try mongo.store()
                let from = try await store.checkpoint()
                let commit = Commits.commit(from, [Commits.insert("a")])
                proxy.expect([], then: .hold, of: Self.commit)
                async let outcome = store.commit(commit)
                _ = try await eventually("the commit is on its way") { proxy.held > 0 ? true : nil }

                #expect(try await other.checkpoint() == from)
                #expect(try await other.stored(["a"]).isEmpty)
                let rival = Commits.commit(from, [Commits.insert("of-another")])
                let error = await #expect(throws: MongoError.self) { try await other.commit(rival) }
                #expect(error?.isRetriable == true)
                proxy.deliver(1)
                #expect(try await other.commit(rival) == .conflict)
                #expect(try await other.checkpoint() == commit.to)

                proxy.expect([], of: Self.commit)
                #expect(try await outcome == .committed)
                proxy.deliver()
                #expect(try await other.checkpoint() == commit.to)
                #expect(try await other.stored(["a", "of-another"]).keys.sorted() == ["a"])
            }
        }

        @Test func `a commit of a session that was taken away is known not to have happened, and never will`() async throws {
            try await run { mongo, store, proxy in
                let from = try await store.checkpoint()
                let session = try await store.sessionId()
                proxy.expect([], then: .hold, of: Self.commit)
                async let outcome = store.commit(Commits.commit(from, [Commits.insert("a")]))
                _ = try await eventually("the commit is on its way") { proxy.held > 0 ? true : nil }
                try await mongo.outsider.command("admin", ["killSessions": [["id": .binary(session, subtype: 4)]]])
                proxy.expect([], of: Self.commit)
                do {
                    let reply = try await outcome
                    Issue.record("not \(reply)")
                } catch let error as MongoError {
                    #expect(error.serverCode == 251)
                }
                proxy.deliver()
                #expect(try await mongo.store().checkpoint() == from)
                #expect(try await mongo.store().stored(["a"]).isEmpty)
            }
        }
    }
}
