import Projector
import Testing
import Values

@testable import MongoStore

extension MongoSuite {
    /// Rule 15: the outcome of a commit is asked for until it is known.
    @Suite struct CommitOutcomeTests {
        /// What elections, shutdowns and networks make of a commit. libmongoc repeats it once by itself.
        static let passing: [FailingStore.Failure] = [
            .error(91),  // ShutdownInProgress
            .error(189),  // PrimarySteppedDown
            .error(11602),  // InterruptedDueToReplStateChange
            .error(10107),  // NotWritablePrimary
            .error(50),  // MaxTimeMSExpired
            .closedConnection,
            .writeConcern(64),  // WriteConcernFailed
            .writeConcern(91),
        ]

        @Test func `a commit whose outcome is unknown is repeated until it is known`() async throws {
            try await FailingStore.run { failing in
                var checkpoint = try await failing.store.checkpoint()
                for failure in Self.passing {
                    let commit = failing.next(checkpoint)
                    try await failing.fail("commitTransaction", failure, times: 3)
                    #expect(try await failing.store.commit(commit) == .committed, "\(failure)")
                    checkpoint = commit.to
                    #expect(try await failing.applied() == checkpoint.offset, "\(failure)")
                }
            }
        }

        @Test func `a commit of no such transaction has not happened`() async throws {
            try await FailingStore.run { failing in
                let first = failing.next(try await failing.store.checkpoint())
                try await failing.fail("commitTransaction", .error(251), times: 1)
                let error = await #expect(throws: MongoError.self) { try await failing.store.commit(first) }
                #expect(error?.serverCode == 251)
                #expect(error?.isRetriable == true)
                #expect(try await failing.applied() == 0)
                #expect(try await failing.store.commit(first) == .committed)
                #expect(try await failing.applied() == 1)
            }
        }

        @Test func `a commit that a server refuses for good is not repeated`() async throws {
            try await FailingStore.run { failing in
                let first = failing.next(try await failing.store.checkpoint())
                try await failing.fail("commitTransaction", .error(13), times: 1)  // Unauthorized
                let error = await #expect(throws: MongoError.self) { try await failing.store.commit(first) }
                #expect(error?.serverCode == 13)
                #expect(error?.isRetriable == false)
                #expect(try await failing.applied() == 0)
                #expect(try await failing.store.commit(first) == .committed)
            }
        }

        @Test func `after a row of failures of every command, what is stored is whole, and what was said is so`() async throws {
            try await FailingStore.run { failing in
                var checkpoint = try await failing.store.checkpoint()
                for round in 0..<Self.sequence.count {
                    let (command, failure, times) = Self.sequence[round]
                    try await failing.fail(command, failure, times: times)
                    let commit = failing.next(checkpoint)
                    do {
                        #expect(try await failing.store.commit(commit) == .committed, "round \(round)")
                        #expect(try await failing.applied() == commit.to.offset, "round \(round): it said committed")
                    } catch let error as MongoError {
                        #expect(error.isRetriable, "\(error)")
                    }
                    let applied = try await failing.applied()
                    #expect(applied == commit.from.offset || applied == commit.to.offset, "round \(round)")
                    try await failing.fail("none", .closedConnection, times: 1)
                    checkpoint = try await failing.store.checkpoint()
                    #expect(checkpoint.offset == applied)
                }
                #expect(checkpoint.offset > 0)
            }
        }

        /// Failures of two calls: the first one's repetition too.
        static let sequence: [(String, FailingStore.Failure, Int32)] = [
            ("insert", .error(189), 1), ("update", .closedConnection, 1), ("commitTransaction", .closedConnection, 2), ("update", .error(11602), 2),
            ("commitTransaction", .writeConcern(64), 2), ("insert", .closedConnection, 1), ("commitTransaction", .error(251), 1),
            ("commitTransaction", .error(189), 2), ("update", .error(112), 1), ("insert", .error(91), 1),
        ]
    }
}
