import Models
import Projector
import Testing
import Values

extension MongoSuite {
    /// Somebody else writes documents of a build. What a batch finds out, it writes as the log makes it, and counts.
    @Suite struct DriftTests {
        private let documents = Commits.build.description

        /// Runs `body` with three documents, `a`, `b` and `c`, projected and still in the projection's memory.
        private func run(_ body: (inout StockKeeper, Projection) async throws -> Void) async throws {
            try await TestMongo.run { mongo in
                var keeper = try await StockKeeper(mongo)
                try await keeper.log([.stock("a", 5), .name("b", "first"), .stock("b", 1), .stock("c", 2), .stock("a", 1)])
                let projection = try keeper.projection()
                try await projection.drain()
                #expect(try await keeper.faults() == [])
                try await body(&keeper, projection)
            }
        }

        @Test func `a document that is gone is folded again out of the log`() async throws {
            try await run { keeper, projection in
                try await keeper.mongo.remove(documents, ["_id": "a"])
                try await keeper.log([.stock("a", 10), .stock("b", 10), .stock("new", 1)])
                try await projection.drain()
                #expect(try await keeper.faults() == [])
                #expect(try await keeper.drift() == 1)
            }
        }

        @Test func `a document that is gone and is to be removed is gone all the same`() async throws {
            try await run { keeper, projection in
                try await keeper.mongo.remove(documents, ["_id": "a"])
                try await keeper.log([.removal("a"), .removal("b")])
                try await projection.drain()
                #expect(try await keeper.faults() == [])
                #expect(try await keeper.drift() == 1)
            }
        }

        @Test func `where one document is not as was thought, every document of the batch is looked at`() async throws {
            try await run { keeper, projection in
                try await keeper.mongo.remove(documents, ["_id": "a"])
                try await keeper.mongo.change(documents, ["_id": "b"], ["$set": ["name": "edited"]])
                try await keeper.mongo.change(documents, ["_id": "c"], ["$set": ["stock": 999, "extra": true]])
                try await keeper.log([.stock("a", 10), .stock("b", 10), .stock("c", 10)])
                try await projection.drain()
                #expect(try await keeper.faults() == [])
                #expect(try await keeper.drift() == 3)
            }
        }

        /// With `_position` missing, incomplete, of other types, of another partition, or ahead of the checkpoint.
        static let positions: [(what: String, change: Value)] = [
            ("missing", ["$unset": ["_position": ""]]),
            ("a number", ["$set": ["_position": 4]]),
            ("without a time", ["$unset": ["_position.t": ""]]),
            ("with an int32 offset", ["$set": ["_position.o": 4]]),
            ("with more than it should have", ["$set": ["_position.x": 4]]),
            ("of another partition", ["$set": ["_position.p": 1]]),
            ("at the checkpoint", ["$set": ["_position.o": .int64(5)]]),
            ("far ahead", ["$set": ["_position.o": .int64(.max)]]),
        ]

        @Test func `a document without a valid position is not folded onto by whoever reads it anew`() async throws {
            for (what, change) in Self.positions {
                try await run { keeper, _ in
                    try await keeper.mongo.change(documents, ["_id": "a"], ["$set": ["stock": 999]])
                    try await keeper.mongo.change(documents, ["_id": "a"], change)
                    try await keeper.mongo.change(documents, ["_id": "b"], change)
                    try await keeper.log([.name("a", "again"), .removal("b"), .stock("c", 1)])
                    try await keeper.projection().drain()
                    #expect(try await keeper.faults() == [], "\(what)")
                    #expect(try await keeper.drift() == 2, "\(what)")
                }
            }
        }

        @Test func `a foreign document under a key without events counts as absent`() async throws {
            for isWarm in [true, false] {
                try await run { keeper, projection in
                    try await keeper.mongo.change(documents, ["_id": "d"], ["$set": ["stock": 999, "foreign": true]], upsert: true)
                    try await keeper.mongo.change(documents, ["_id": "e"], ["$set": ["foreign": true]], upsert: true)
                    try await keeper.log([.stock("d", 1), .removal("e"), .stock("a", 1)])
                    try await (isWarm ? projection : keeper.projection()).drain()
                    #expect(try await keeper.faults() == [])
                    #expect(try await keeper.drift() == 2)
                }
            }
        }

        /// Something appears, something goes, and with it something changes that would not be noticed alone.
        @Test func `what somebody does between reading and writing is found by the counts`() async throws {
            for isWarm in [true, false] {
                try await run { keeper, _ in
                    let (mongo, meddler) = (keeper.mongo, Meddler())
                    let projection = try keeper.projection(meddler: meddler)
                    if isWarm {
                        try await keeper.log([.stock("a", 1), .stock("b", 1), .stock("c", 1)])
                        try await projection.drain()
                    }
                    await meddler.prepare {
                        try await mongo.change(documents, ["_id": "d"], ["$set": ["stock": 999]], upsert: true)
                        try await mongo.remove(documents, ["_id": "a"])
                        try await mongo.change(documents, ["_id": "b"], ["$set": ["name": "edited"]])
                    }
                    try await keeper.log([.stock("d", 1), .stock("a", 1), .stock("b", 1), .stock("c", 1)])
                    try await projection.drain()
                    #expect(try await keeper.faults() == [])
                    #expect(try await keeper.drift() == 3)
                }
            }
        }

        @Test func `what is as the log makes it is no drift`() async throws {
            try await run { keeper, projection in
                // Somebody wrote it anew, exactly as it was.
                let a = try #require(try await keeper.mongo.documents(documents, ["_id": "a"]).first)
                try await keeper.mongo.remove(documents, ["_id": "a"])
                try await keeper.mongo.change(documents, ["_id": "a"], .document(a), upsert: true)
                try await keeper.log([.stock("a", 1)])
                try await projection.drain()
                try await keeper.log([.stock("b", 1)])
                try await keeper.projection().drain()
                #expect(try await keeper.faults() == [])
                #expect(try await keeper.drift() == 0)
            }
        }
    }
}
