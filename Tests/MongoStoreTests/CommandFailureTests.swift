import Events
import Projector
import Testing
import Values

@testable import MongoStore

extension MongoSuite {
    @Suite struct CommandFailureTests {
        static let passing: [FailingStore.Failure] = [.error(189), .error(11602), .error(91), .closedConnection]

        @Test func `a write that fails within the transaction undoes all of it`() async throws {
            try await FailingStore.run { failing in
                var checkpoint = try await failing.store.checkpoint()
                for failure in Self.passing {
                    for command in ["update", "insert"] {
                        let commit = failing.next(checkpoint)
                        try await failing.fail(command, failure, times: 1)
                        let error = await #expect(throws: MongoError.self, "\(command), \(failure)") { try await failing.store.commit(commit) }
                        #expect(error?.isRetriable == true)
                        #expect(try await failing.applied() == checkpoint.offset)
                        #expect(try await failing.store.commit(commit) == .committed)
                        checkpoint = commit.to
                    }
                }
                #expect(try await failing.applied() == checkpoint.offset)
            }
        }

        @Test func `a read that fails is repeated once, and then fails in a way that passes`() async throws {
            try await FailingStore.run { failing in
                let first = failing.next(try await failing.store.checkpoint())
                #expect(try await failing.store.commit(first) == .committed)
                for failure in Self.passing {
                    try await failing.fail("find", failure, times: 1)
                    #expect(try await failing.store.stored(["new-0", "missing"]).count == 1, "\(failure)")
                    try await failing.fail("find", failure, times: 2)
                    let error = await #expect(throws: MongoError.self, "\(failure)") { try await failing.store.stored(["new-0"]) }
                    #expect(error?.isRetriable == true)
                    #expect(try await failing.store.checkpoint() == first.to)
                }
            }
        }

        @Test func `an append that never arrived can be made again`() async throws {
            try await FailingStore.run { failing in
                var writer = LogWriter(failing.log)
                for (number, failure) in Self.passing.enumerated() {
                    let chunk = writer.chunk([event("\(number)")])
                    try await failing.fail("insert", failure, times: 1)
                    let error = await #expect(throws: MongoError.self, "\(failure)") { try await failing.log.append(chunk) }
                    #expect(error?.isRetriable == true)
                    #expect(try await failing.log.progress(of: chunk.partition, segment: chunk.segment).end == Int64(number))
                    writer.window.rollback(to: number)
                    try await writer.append([event("\(number)")])
                    #expect(try await failing.log.append(chunk) == .collision)
                }
                #expect(try await failing.log.tail(of: writer.partition).totals == LogTotals(received: Int64(Self.passing.count)))
            }
        }

        @Test func `an append that may not have reached a majority is a failure, and then a collision`() async throws {
            try await FailingStore.run { failing in
                let chunk = LogWriter(failing.log).chunk([event("a")])
                try await failing.fail("insert", .writeConcern(64), times: 1)
                let error = await #expect(throws: MongoError.self) { try await failing.log.append(chunk) }
                #expect(error?.isRetriable == true)
                #expect(try await failing.log.append(chunk) == .collision)
                #expect(try await failing.log.progress(of: chunk.partition, segment: chunk.segment).end == 1)
            }
        }

        @Test func `what may not have reached a majority is not said to be done`() async throws {
            try await FailingStore.run { failing in
                let checkpoint = try await failing.store.checkpoint()
                try await failing.fail("update", .writeConcern(64), times: 1)
                await #expect(throws: MongoError.self) { try await failing.store.note([], in: checkpoint) }
                let leases = MongoLeases(connection: failing.log.connection, database: failing.mongo.database)
                let holder = LeaseHolder(id: "a", sessions: [])
                try await failing.fail("findAndModify", .writeConcern(64), times: 1)
                await #expect(throws: MongoError.self) { try await leases.acquire(Commits.partition, holder: holder, duration: .seconds(60)) }
                guard case .acquired(let lease) = try await leases.acquire(Commits.partition, holder: holder, duration: .seconds(60)) else {
                    Issue.record("not acquired")
                    return
                }
                try await failing.fail("update", .writeConcern(64), times: 1)
                await #expect(throws: MongoError.self) { try await leases.renew(lease, duration: .seconds(60)) }
            }
        }
    }
}
