import Fixtures
import Foundation
import Testing

extension Faults {
    /// What is shipped is killed at random moments, without any point that it knows of.
    @Suite struct RandomKillTests {
        private static let wanted = Root.isLong ? 100 : 10
        /// Rounds that may fall between two batches, where a kill shows nothing.
        private static let mostRounds = wanted * 6

        @Test(arguments: Seed.ofThisRun)
        func `kill -9 at random, with two workers on one partition and a producer that keeps pushing`(seed: Seed) async throws {
            var random = Random(seed)
            var kills: [Place.Unfinished: Int] = [:]
            func count(_ kind: Place.Unfinished) -> Int { kills.reduce(0) { $0 + ($1.key.contains(kind) ? $1.value : 0) } }
            try await Place.with([Place.Stream(settings: ["chunk: { events: 200 }"])], lease: "1s") { place in
                let journal = place.directory.appending(path: "producer.ndjson")
                let producer = try place.produce(rate: 2500, keys: 2000, seed: seed.value, journal: journal)
                var workers = [try place.start(.release, ["run"]), try place.start(.release, ["run"])]
                var rounds = 0
                while min(count(.segment), count(.commit)) < Self.wanted, rounds < Self.mostRounds {
                    rounds += 1
                    let victim = try await eventually("a worker has taken over") {
                        let pid = try await place.mongo.holder("trace")
                        return workers.first { $0.pid == pid }
                    }
                    // While it catches up with what has come in since the kill before, or later, when it has nearly
                    // nothing to do.
                    try await Task.sleep(for: .milliseconds(random.once(in: 2) ? random.below(60) : 100 + random.below(500)))
                    // Now and then the whole machine.
                    let victims = random.once(in: 4) ? workers : [victim]
                    for victim in victims { victim.send(SIGKILL) }
                    for victim in victims { #expect(try await victim.ended().cause == .signal(SIGKILL)) }
                    let found = try await place.unfinished()
                    // It only counts if it is the dead worker's doing, and not the next one's.
                    if try await place.mongo.holder("trace") == victim.pid { kills[found, default: 0] += 1 }
                    workers.removeAll { worker in victims.contains { $0 === worker } }
                    for _ in victims { workers.append(try place.start(.release, ["run"])) }
                }
                let pushed = try await place.finish(producer)
                for worker in workers { try await worker.expectStop() }
                try await place.drain().expectSums()
                let verdict = try await place.expectAllWell("trace", journal)
                tally(
                    "\(rounds) kills -9: \(count(.segment)) with a segment in flight, \(count(.commit)) between append and commit, "
                        + "\(kills[[.segment, .commit], default: 0]) of them both, \(kills[[], default: 0]) with nothing under way; "
                        + "\(verdict.events) of \(pushed.events) events in \(verdict.documents) documents, \(verdict.duplicates) duplicates (\(seed))"
                )
                #expect(count(.segment) >= Self.wanted && count(.commit) >= Self.wanted, "too few kills fell where they show anything")
            }
        }
    }
}
