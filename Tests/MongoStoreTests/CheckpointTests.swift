import Events
import Models
import MongoStore
import Projector
import Testing
import Values

extension MongoSuite {
    @Suite struct CheckpointTests {
        @Test func `a build's first checkpoint is made once, at the beginning`() async throws {
            try await TestMongo.run { mongo in
                let stores = try (0..<4).map { _ in try mongo.store() }
                let made = try await withThrowingTaskGroup(of: Checkpoint.self) { group in
                    for store in stores { group.addTask { try await store.checkpoint() } }
                    return try await group.reduce(into: []) { $0.append($1) }
                }
                #expect(made == Array(repeating: Checkpoint(build: Commits.build, partition: Commits.partition), count: 4))
                #expect(try await mongo.documents("millrace.checkpoints").count == 1)
            }
        }

        @Test func `builds and partitions have checkpoints of their own`() async throws {
            try await TestMongo.run { mongo in
                let store = try mongo.store()
                #expect(try await store.commit(Commits.commit(store.checkpoint(), events: 5, [])) == .committed)
                #expect(try await store.checkpoint().offset == 5)
                #expect(try await store.checkpoint(BuildID(model: "product", number: 2)).offset == 0)
                #expect(try await store.checkpoint(of: Commits.build, PartitionID(stream: "product", number: 1))?.offset == 0)
                #expect(try await store.checkpoint(of: Commits.build, PartitionID(stream: "other", number: 0))?.offset == 0)
            }
        }

        @Test func `totals and completeness move with the offset, and come back as they were stored`() async throws {
            try await TestMongo.run { mongo in
                let store = try mongo.store()
                let from = try await store.checkpoint()
                var to = from
                to.offset = 66
                to.time = 1_700_000_000_000
                to.stopped = Standstill(
                    build: Commits.build, partition: Commits.partition, offset: 66, eventId: "e", type: nil, key: "k", refusal: Refusal(.badOperand, "why"))
                for (number, count) in ProjectionTotals.counts.enumerated() { to.totals[keyPath: count.path] = Int64(number) + 1 + Int64(Int32.max) }
                to.complete = [
                    ListCompleteness(list: "events:{product}", token: BufferToken(run: "run-1", cuts: 3)),
                    ListCompleteness(list: "events:{other}", token: BufferToken(run: "run-2", cuts: 1 << 40)),
                ]
                #expect(try await store.commit(Commit(from: from, to: to, writes: [], deadLetters: [])) == .committed)
                #expect(try await mongo.store().checkpoint() == to)
                // Whoever moves it without knowing of the stop has passed it.
                try await mongo.change("millrace.checkpoints", [:], ["$inc": ["offset": .int64(1)]])
                #expect(try await mongo.store().checkpoint().stopped == nil)
            }
        }

        /// What somebody else does to a checkpoint after it was read.
        static let changes: [(what: String, change: Value)] = [
            ("moved", ["$inc": ["offset": .int64(1)]]),
            ("set back", ["$inc": ["offset": .int64(-1)]]),
            ("repaired", ["$inc": ["generation": .int64(1)]]),
            ("frozen", ["$set": ["frozen": "switch-1"]]),
            ("rid of documents that had expired", ["$inc": ["totals.deleted": .int64(1)]]),
            ("noted to be complete", ["$push": ["complete": ["list": "events:{product}", "run": "run-1", "cuts": .int64(7)]]]),
        ]

        private static let unchanged: Value = [
            "$set": ["offset": .int64(0), "generation": .int64(0), "frozen": .null, "complete": .array([]), "totals.deleted": .int64(0)]
        ]

        @Test(arguments: changes.indices)
        func `a checkpoint that is not what was read is a conflict, and nothing is written`(number: Int) async throws {
            try await TestMongo.run { mongo in
                let store = try mongo.store()
                #expect(try await store.commit(Commits.commit(store.checkpoint(), [Commits.insert("old")])) == .committed)
                let read = try await store.checkpoint()
                try await mongo.change("millrace.checkpoints", [:], Self.changes[number].change)
                let before = try await mongo.everything()

                let commit = Commits.commit(read, [Commits.insert("new"), .delete(key: "old")], [Commits.letter(1)])
                #expect(try await store.commit(commit) == .conflict)
                #expect(try await mongo.everything() == before)
                // The session is good for the next one.
                try await mongo.change("millrace.checkpoints", [:], Self.unchanged)
                try await mongo.change("millrace.checkpoints", [:], ["$set": ["offset": .int64(read.offset)]])
                #expect(try await store.commit(commit) == .committed)
            }
        }

        @Test func `a checkpoint that is gone is a conflict`() async throws {
            try await TestMongo.run { mongo in
                let store = try mongo.store()
                let read = try await store.checkpoint()
                try await mongo.remove("millrace.checkpoints", [:])
                #expect(try await store.commit(Commits.commit(read, [Commits.insert("a")])) == .conflict)
                #expect(try await mongo.everything().isEmpty)
            }
        }

        @Test func `completeness is noted only in the checkpoint that was read`() async throws {
            try await TestMongo.run { mongo in
                let store = try mongo.store()
                let read = try await store.checkpoint()
                let complete = [ListCompleteness(list: "events:{product}", token: BufferToken(run: "run-1", cuts: 3))]
                #expect(try await store.note(complete, in: read) == .committed)
                var noted = read
                noted.complete = complete
                #expect(try await store.checkpoint() == noted)

                // By a worker that read it before: what is complete never becomes less.
                #expect(try await store.note([], in: read) == .conflict)
                #expect(try await store.checkpoint() == noted)

                try await mongo.change("millrace.checkpoints", [:], Self.unchanged)
                for (what, change) in Self.changes {
                    try await mongo.change("millrace.checkpoints", [:], change)
                    let before = try await mongo.everything()
                    #expect(try await store.note(complete, in: read) == .conflict, "\(what)")
                    #expect(try await mongo.everything() == before, "\(what)")
                    try await mongo.change("millrace.checkpoints", [:], Self.unchanged)
                }
            }
        }

        @Test func `a freeze is read, a newer format is refused, and so is what lacks a field`() async throws {
            try await TestMongo.run { mongo in
                let store = try mongo.store()
                _ = try await store.checkpoint()
                try await mongo.change("millrace.checkpoints", [:], ["$set": ["frozen": "switch-1"]])
                #expect(try await store.checkpoint().frozen == "switch-1")
                try await mongo.change("millrace.checkpoints", [:], ["$set": ["format": 2]])
                #expect(await #expect(throws: Refusal.self) { try await store.checkpoint() }?.problem == .newerFormat)
                try await mongo.change("millrace.checkpoints", [:], ["$set": ["format": 1], "$unset": ["totals": ""]])
                #expect(await #expect(throws: Refusal.self) { try await store.checkpoint() }?.problem == .logDamaged)
            }
        }
    }
}
