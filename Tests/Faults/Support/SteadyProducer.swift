import Events
import Fixtures
import Foundation
import RedisAddress
import RedisBuffer

/// Pushes events one small batch after the other, each until Redis has acknowledged it, and knows at every moment what
/// was acknowledged. What Tests/oracle/producer.py does, for tests that must know that.
actor SteadyProducer {
    private static let batch = 20
    /// A Redis that does not answer is asked again on another connection.
    private static let timeout = Duration.seconds(2)

    private struct Batch {
        var elements: [[UInt8]]
        var isJournaled = true
    }

    private let list: String
    private let redis: String
    private let journal: Journal
    private var events: TraceEvents
    private var pushing: Task<Void, any Error>?
    /// What is pushed before the next events.
    private var inserted: [Batch] = []
    private var isUnderWay = false
    private var isPaused = false
    /// Elements at the journal's beginning that Redis has acknowledged.
    private(set) var acknowledged = 0

    /// - Parameter redis: where to push, if it is not the place's own.
    init(_ place: Place, _ journal: Journal, _ seed: Seed, redis: String? = nil) {
        list = place.list()
        self.redis = redis ?? place.servers.redis
        self.journal = journal
        events = TraceEvents(seed, keys: 300)
    }

    /// - Parameter pause: between two batches.
    func start(pause: Duration) {
        pushing = Task { try await run(pause) }
    }

    private func run(_ pause: Duration) async throws {
        let buffer = RedisBuffer(url: try RedisURL(redis), list: list, installation: "", maxEventBytes: .mebibytes(1), timeout: Self.timeout)
        while !Task.isCancelled {
            if !inserted.isEmpty {
                isUnderWay = true
                try await push(inserted.removeFirst(), to: buffer)
            } else if !isPaused {
                isUnderWay = true
                try await push(Batch(elements: events.next(Self.batch)), to: buffer)
            }
            isUnderWay = false
            try? await Task.sleep(for: pause)
        }
    }

    private func push(_ batch: Batch, to buffer: RedisBuffer) async throws {
        if batch.isJournaled { try await journal.append(batch.elements) }
        while true {
            do {
                try await buffer.push(batch.elements)
                break
            } catch {
                // Whether it arrived is unknown, so it is sent again, and again enters the journal.
                if batch.isJournaled { try await journal.append(batch.elements) }
                try? await Task.sleep(for: .milliseconds(20))
            }
        }
        acknowledged = await journal.count
    }

    /// Pushes elements between the others, and waits until they are acknowledged.
    ///
    /// - Parameter isJournaled: false for what is no event.
    func insert(_ elements: [[UInt8]], isJournaled: Bool = true) async throws {
        inserted.append(Batch(elements: elements, isJournaled: isJournaled))
        try await settled()
    }

    /// Events like those that it pushes of itself.
    func nextEvents(_ count: Int) -> [[UInt8]] { events.next(count) }

    /// Pushes nothing but what is inserted, from when this returns until `resume`.
    func pause() async throws {
        isPaused = true
        try await settled()
    }

    func resume() { isPaused = false }

    private func settled() async throws {
        let deadline = ContinuousClock.now + .seconds(60)
        while !inserted.isEmpty || isUnderWay {
            guard ContinuousClock.now < deadline else { throw Failure("the producer's events are not acknowledged") }
            try await Task.sleep(for: .milliseconds(2))
        }
    }

    /// Stops once everything is acknowledged.
    func finish() async throws {
        pushing?.cancel()
        try await pushing?.value
    }
}
