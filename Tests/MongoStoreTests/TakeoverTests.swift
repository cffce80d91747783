import Events
import Models
import Projector
import Testing
import Values

@testable import MongoStore

extension MongoSuite {
    /// Rule 16: whoever takes a lease over ends what its former holder had under way. Otherwise a dead worker's open
    /// transaction blocks the checkpoint until the server gives it up, after a minute.
    @Suite struct TakeoverTests {
        /// A worker: its store, its lease, and a transaction in which it has moved the checkpoint.
        private struct Worker {
            let store: MongoProjectionStore
            let leases: MongoLeases
            let name: String

            init(_ mongo: TestMongo, _ name: String) throws {
                store = try mongo.store()
                leases = MongoLeases(connection: try mongo.connection(), database: mongo.database)
                self.name = name
            }

            func acquire(for duration: Duration = .seconds(60)) async throws -> Bool {
                let holder = LeaseHolder(id: name, sessions: [try await store.sessionId()])
                if case .acquired = try await leases.acquire(Commits.partition, holder: holder, duration: duration) { return true }
                return false
            }

            /// Writes everything but the commit.
            func leaveOpen(_ commit: Commit) async throws {
                try await store.connection.startTransaction()
                for command in WriteCommands(commit).commands {
                    try await store.connection.run(store.database, command.bytes, .transaction, command.operation)
                }
            }
        }

        /// How long B needs until its commit takes effect, with A's transaction open.
        private func timeToCommit(_ worker: Worker, _ commit: Commit, within limit: Duration) async throws -> Duration? {
            let start = ContinuousClock.now
            while ContinuousClock.now - start < limit {
                do {
                    guard try await worker.store.commit(commit) == .committed else { return nil }
                    return ContinuousClock.now - start
                } catch let error as MongoError where error.isRetriable {
                    // A write conflict with A's transaction.
                    try await Task.sleep(for: .milliseconds(20))
                }
            }
            return nil
        }

        @Test func `a dead worker's open transaction is ended by the next holder of its lease`() async throws {
            try await TestMongo.run { mongo in
                let (a, b) = (try Worker(mongo, "a"), try Worker(mongo, "b"))
                let from = try await a.store.checkpoint()
                #expect(try await a.acquire(for: .seconds(1)))
                try await a.leaveOpen(Commits.commit(from, [Commits.insert("of-a")]))

                let commit = Commits.commit(from, [Commits.insert("of-b")])
                #expect(try await timeToCommit(b, commit, within: .milliseconds(500)) == nil, "A's transaction does not block anything")
                _ = try await eventually("A's lease runs out") { try await b.acquire() ? true : nil }
                let time = try #require(try await timeToCommit(b, commit, within: .seconds(20)), "A's transaction still blocks B")
                #expect(time < .seconds(10))

                // What A had under way can never land any more, and a new session of it works.
                let (error, _) = try await a.store.connection.commitTransaction()
                #expect(error?.serverCode == 251)
                #expect(try await a.store.stored(["of-a", "of-b"]).keys.sorted() == ["of-b"])
                await a.store.reset()
                #expect(try await a.store.checkpoint().offset == 1)
                #expect(try await a.store.commit(Commits.commit(from, [Commits.insert("late")])) == .conflict)
            }
        }

        @Test func `a holder that starts again with another session ends its former one`() async throws {
            try await TestMongo.run { mongo in
                let a = try Worker(mongo, "a")
                let from = try await a.store.checkpoint()
                #expect(try await a.acquire())
                let former = try await a.store.sessionId()
                try await a.leaveOpen(Commits.commit(from, []))
                // The session is lost without its end reaching the server, as when the network breaks.
                let fresh = try mongo.store()
                let session = try await fresh.sessionId()
                #expect(session != former)
                let holder = LeaseHolder(id: "a", sessions: [session])
                guard case .acquired = try await a.leases.acquire(Commits.partition, holder: holder, duration: .seconds(60)) else {
                    Issue.record("not acquired")
                    return
                }
                _ = try await eventually(within: .seconds(5), "the former session's transaction ends") {
                    do {
                        return try await fresh.commit(Commits.commit(from, [])) == .committed ? true : nil
                    } catch let error as MongoError where error.isRetriable {
                        return nil
                    }
                }
            }
        }

        @Test func `a holder's own session survives its taking the lease again`() async throws {
            try await TestMongo.run { mongo in
                let a = try Worker(mongo, "a")
                let from = try await a.store.checkpoint()
                #expect(try await a.acquire())
                try await a.leaveOpen(Commits.commit(from, [Commits.insert("a")]))
                #expect(try await a.acquire())
                #expect(try await a.store.connection.commitTransaction().error == nil)
                #expect(try await a.store.checkpoint().offset == 1)
            }
        }

        @Test func `a lease that was given back names no session`() async throws {
            try await TestMongo.run { mongo in
                let a = try Worker(mongo, "a")
                let holder = LeaseHolder(id: "a", sessions: [try await a.store.sessionId()])
                guard case .acquired(let lease) = try await a.leases.acquire(Commits.partition, holder: holder, duration: .seconds(60)) else {
                    Issue.record("not acquired")
                    return
                }
                try await a.leases.release(lease)
                try await a.leaveOpen(Commits.commit(try await a.store.checkpoint(), []))
                #expect(try await Worker(mongo, "b").acquire())
                #expect(try await a.store.connection.commitTransaction().error == nil)
            }
        }

        @Test func `a reset session takes its open transaction with it`() async throws {
            try await TestMongo.run { mongo in
                let store = try mongo.store()
                let from = try await store.checkpoint()
                let session = try await store.sessionId()
                #expect(session.count == 16 && session != Array(repeating: 0, count: 16))
                #expect(try await store.sessionId() == session)
                try await store.connection.startTransaction()
                for command in WriteCommands(Commits.commit(from, [Commits.insert("a")])).commands {
                    try await store.connection.run(store.database, command.bytes, .transaction, command.operation)
                }
                await store.reset()
                #expect(try await store.commit(Commits.commit(from, [Commits.insert("b")])) == .committed)
                #expect(try await store.stored(["a", "b"]).keys.sorted() == ["b"])
            }
        }
    }
}
