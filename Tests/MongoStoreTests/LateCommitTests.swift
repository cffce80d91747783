import Models
import Projector
import Testing
import Values

@testable import MongoStore

extension MongoSuite {
    /// Commits that are lost on the way, or arrive when nobody reckons with them any more.
    @Suite struct LateCommitTests {
        /// A store whose connections go through a relay to the primary, and one beside it.
        private func run(_ body: (TestMongo, MongoProjectionStore, Relay) async throws -> Void) async throws {
            try await TestMongo.run { mongo in
                let primary = try await mongo.outsider.command("admin", ["hello": 1])["primary"]?.asString
                let port = try #require(primary?.split(separator: ":").last.flatMap { Int($0) })
                let relay = try Relay(to: port)
                defer { relay.stop() }
                let url = "mongodb://127.0.0.1:\(relay.port)/?directConnection=true"
                let store = MongoProjectionStore(connection: try MongoConnection(url: url, name: "relayed"), database: mongo.database)
                // The collection is there, so that its creation is not in the transaction.
                let first = Commits.commit(try await store.checkpoint(), [Commits.insert("first")])
                #expect(try await store.commit(first) == .committed)
                try await body(mongo, store, relay)
            }
        }

        @Test func `a commit whose answers are lost has happened once`() async throws {
            try await run { mongo, store, relay in
                let commit = Commits.commit(try await store.checkpoint(), [Commits.insert("a")])
                let before = relay.seen
                relay.expect([.loseAnswer, .loseAnswer, .loseAnswer])
                #expect(try await store.commit(commit) == .committed)
                #expect(relay.seen == before + 4)
                #expect(try await mongo.store().checkpoint() == commit.to)
                #expect(try await mongo.store().stored(["a"]).count == 1)
            }
        }

        @Test func `a commit that is delayed is made by its repetition, and does nothing when it arrives`() async throws {
            try await run { mongo, store, relay in
                let commit = Commits.commit(try await store.checkpoint(), [Commits.insert("a")])
                relay.expect([.hold, .hold, .hold])
                #expect(try await store.commit(commit) == .committed)
                let next = Commits.commit(commit.to, [.delete(key: "a")])
                #expect(try await store.commit(next) == .committed)
                relay.deliver()
                #expect(try await mongo.store().checkpoint() == next.to)
                #expect(try await mongo.store().stored(["a"]).isEmpty)
            }
        }

        @Test func `a commit that reads say did not happen still can, and then it is another's conflict`() async throws {
            try await run { mongo, store, relay in
                let other = try mongo.store()
                let from = try await store.checkpoint()
                let commit = Commits.commit(from, [Commits.insert("a")])
                relay.expect([], holdAll: true)
                async let outcome = store.commit(commit)
                _ = try await eventually("the commit is on its way") { relay.held > 0 ? true : nil }

                #expect(try await other.checkpoint() == from)
                #expect(try await other.stored(["a"]).isEmpty)
                let rival = Commits.commit(from, [Commits.insert("of-another")])
                let error = await #expect(throws: MongoError.self) { try await other.commit(rival) }
                #expect(error?.isRetriable == true)
                relay.deliver(1)
                #expect(try await other.commit(rival) == .conflict)
                #expect(try await other.checkpoint() == commit.to)

                relay.expect([])
                #expect(try await outcome == .committed)
                relay.deliver()
                #expect(try await other.checkpoint() == commit.to)
                #expect(try await other.stored(["a", "of-another"]).keys.sorted() == ["a"])
            }
        }

        @Test func `a commit of a session that was taken away is known not to have happened, and never will`() async throws {
            try await run { mongo, store, relay in
                let from = try await store.checkpoint()
                let session = try await store.sessionId()
                relay.expect([], holdAll: true)
                async let outcome = store.commit(Commits.commit(from, [Commits.insert("a")]))
                _ = try await eventually("the commit is on its way") { relay.held > 0 ? true : nil }
                try await mongo.outsider.command("admin", ["killSessions": [["id": .binary(session, subtype: 4)]]])
                relay.expect([])
                do {
                    let reply = try await outcome
                    Issue.record("not \(reply)")
                } catch let error as MongoError {
                    #expect(error.serverCode == 251)
                }
                relay.deliver()
                #expect(try await mongo.store().checkpoint() == from)
                #expect(try await mongo.store().stored(["a"]).isEmpty)
            }
        }
    }
}
