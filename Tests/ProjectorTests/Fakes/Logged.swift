import EventFixtures
import Events
import Testing

@testable import Projector

extension World {
    /// Chunks of four, so that a batch has several and ends within one.
    static var stream: StreamSettings {
        var stream = TestLog.settings
        stream.chunkEvents = 4
        return stream
    }

    /// Everything logged, nothing projected.
    static func logged(_ texts: [String]) async throws -> World {
        let world = World()
        try await world.log(texts)
        return world
    }

    /// Logs more, and projects nothing.
    func log(_ texts: [String]) async throws {
        change { redis, _ in redis.list = texts }
        try await Worker(0, self, Worker.Setting(stream: Self.stream, builds: [])).run { $0.redis.isEmpty }
    }
}

extension Projection {
    /// Takes all that is logged, and returns in how many turns.
    func catchUp() async throws -> Int {
        var turns = 0
        while try await !turn([], tail: nil) {
            turns += 1
            try #require(turns < 500)
        }
        return turns
    }
}
