import Fixtures
import Foundation
import RedisBuffer

/// Pushes events one small batch after the other, each until Redis has acknowledged it, and knows at every moment what
/// was acknowledged. What Tests/oracle/producer.py does, for tests that must know that.
actor SteadyProducer {
    private static let batch = 20

    private let place: Place
    private let journal: Journal
    private var events: TraceEvents
    private var pushing: Task<Void, any Error>?
    /// Elements at the journal's beginning that Redis has acknowledged.
    private(set) var acknowledged = 0

    init(_ place: Place, _ journal: Journal, _ seed: Seed) {
        self.place = place
        self.journal = journal
        events = TraceEvents(seed, keys: 300)
    }

    /// - Parameter pause: between two batches.
    func start(pause: Duration) {
        pushing = Task { try await run(pause) }
    }

    private func run(_ pause: Duration) async throws {
        let buffer = try place.buffer(place.list())
        while !Task.isCancelled {
            let elements = events.next(Self.batch)
            try await journal.append(elements)
            while true {
                do {
                    try await buffer.push(elements)
                    break
                } catch {
                    // Whether it arrived is unknown, so it is sent again, and again enters the journal.
                    try await journal.append(elements)
                    try? await Task.sleep(for: .milliseconds(20))
                }
            }
            acknowledged = await journal.count
            try? await Task.sleep(for: pause)
        }
    }

    /// Stops once everything is acknowledged.
    func finish() async throws {
        pushing?.cancel()
        try await pushing?.value
    }
}
