import Fixtures
import Models
import Projector
import Testing
import Values

@testable import MongoStore

extension MongoSuite {
    /// Several projections of one build on one partition, as when a lease changes hands and its former holder does not
    /// know yet: each event takes effect once.
    @Suite struct InterleavedProjectionsTests {
        private var smallBatches: BatchLimits {
            var limits = BatchLimits()
            limits.events = 7
            limits.documents = 4
            return limits
        }

        @Test func `a projection with a stale checkpoint writes nothing, and goes on behind the other`() async throws {
            try await TestMongo.run { mongo in
                var keeper = try await StockKeeper(mongo)
                try await keeper.log([.stock("a", 1), .stock("b", 1)])
                let (stale, other) = (try keeper.projection(), try keeper.projection())
                try await stale.drain()
                try await keeper.log([.stock("a", 10), .name("b", "n"), .stock("c", 1)])
                try await other.drain()
                let stored = try await mongo.everything()
                #expect(try await !stale.turn([], tail: nil))
                #expect(try await mongo.everything() == stored)
                try await stale.drain()
                #expect(try await mongo.everything() == stored)

                try await keeper.log([.stock("a", 100), .removal("b")])
                try await stale.drain()
                let faults = try await keeper.faults()
                #expect(faults == [])
                #expect(try await keeper.drift() == 0)
            }
        }

        @Test(arguments: Seed.ofThisRun)
        func `turns in any order`(seed: Seed) async throws {
            try await TestMongo.run { mongo in
                var random = Random(seed)
                var keeper = try await StockKeeper(mongo)
                let projections = try (0..<3).map { _ in try keeper.projection(limits: smallBatches) }
                for _ in 0..<30 {
                    if random.once(in: 3) { try await keeper.log(random.changes(1 + random.below(20))) }
                    _ = try await random.pick(projections).turn([], tail: nil)
                }
                for projection in projections { try await projection.drain() }
                let faults = try await keeper.faults()
                #expect(faults == [])
                #expect(try await keeper.drift() == 0)
            }
        }

        @Test(arguments: Seed.ofThisRun)
        func `all at once`(seed: Seed) async throws {
            try await TestMongo.run { mongo in
                var random = Random(seed)
                var keeper = try await StockKeeper(mongo)
                for _ in 0..<10 { try await keeper.log(random.changes(20)) }
                let projections = try (0..<3).map { _ in try keeper.projection(limits: smallBatches) }
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for projection in projections { group.addTask { try await projection.drainAgainstOthers() } }
                    try await group.waitForAll()
                }
                let faults = try await keeper.faults()
                #expect(faults == [])
                #expect(try await keeper.drift() == 0)
            }
        }
    }
}

extension Projection {
    /// Goes on where a transaction met another one.
    fileprivate func drainAgainstOthers() async throws {
        while true {
            do {
                if try await turn([], tail: nil) { return }
            } catch let error as MongoError where error.labels.contains("TransientTransactionError") {
                continue
            }
        }
    }
}

extension Random {
    fileprivate mutating func changes(_ count: Int) -> [StockKeeper.Change] {
        (0..<count).map { _ in
            let key = "key-\(below(8))"
            switch below(6) {
            case 0: return .removal(key)
            case 1: return .name(key, text())
            default: return .stock(key, Int32(below(100)))
            }
        }
    }
}
