import Events
import ReadFixtures
import Synchronization
import Testing

@testable import Reads

/// Lookups over servers in memory.
protocol LookupSuite {
    var servers: ServersInMemory { get }
    var lookups: Lookups { get }
}

extension LookupSuite {
    /// Other tests may keep every thread busy for long.
    static var limit: Duration { .seconds(300) }

    static func site(caches: [String: ReadCache] = [:]) -> ReadSite {
        ReadSite(partitions: [ServersInMemory.partition], caches: caches)
    }

    static var model: ReadModel { ServersInMemory.model }

    func look(
        _ id: String, at place: ReadPlace = Self.model.place, after: OperationTime? = nil, within time: Duration = limit
    ) async throws(ReadFailure) -> LookupAnswer {
        try await lookups.result(of: id, in: Self.model, at: place, names: nil, after: after, until: .now + time).get()
    }

    func until(_ condition: @Sendable (ServersInMemory.State) -> Bool, meanwhile work: () async throws -> Void = {}) async throws {
        let began = ContinuousClock.now
        while !servers.state.withLock({ condition($0) }) {
            try #require(.now - began < Self.limit)
            try await work()
            try await Task.sleep(for: .milliseconds(2))
        }
    }
}
