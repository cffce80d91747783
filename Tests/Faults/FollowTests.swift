import Fixtures
import Foundation
import Sandbox
import Testing

extension Faults {
    /// Whoever follows the log sees each element once, whatever MongoDB goes through.
    @Suite(.onStage) struct FollowTests {
        private static let faults = ["mongodb-primary-stepped-down", "mongodb-primary-killed", "mongodb-all-killed"]

        @Test func `a follower loses and repeats nothing over elections and restarts of MongoDB`() async throws {
            let stage = try OnStage.current
            try await Place.with([Place.Stream(partitions: 2, settings: ["chunk: { events: 50 }"])], on: stage.servers) { place in
                var events = try TraceEvents(keys: 500)
                let journal = try place.journal()
                let seed = try #require(Seed.ofThisRun.first)
                let scene = Scene(stage, place, journal, round: 0, seed)
                let service = try place.start(.release, ["run"])
                let follower = try place.start(.release, ["events", "trace", "--follow", "--json"])
                try await place.push(events.next(1000), journal)
                try await until("both have begun") { lines(follower).count == 1000 }
                for fault in Fault.all where Self.faults.contains(fault.name) {
                    try await place.push(events.next(1000), journal)
                    let next = events.next(1000)
                    async let more: Void = place.push(next, journal)
                    try await fault.strike(scene)
                    try await more
                    try await stage.repair()
                }
                try await until(within: .seconds(60), "everything is followed") { lines(follower).count == 7000 }
                let ended = try await follower.stop()
                #expect(ended.cause == .exit(0), "\(ended.summary)")
                try await service.expectStop()
                let logged = try String(contentsOf: try await place.log(), encoding: .utf8).split(separator: "\n")
                let seen = ended.output.split(separator: "\n")
                for partition in 0..<2 {
                    func own(_ lines: [Substring]) -> [Substring] { lines.filter { $0.contains("\"partition\":\(partition),") } }
                    let isSame = own(seen) == own(logged)
                    #expect(isSame, "partition \(partition)")
                }
                #expect(seen.count == 7000)
            }
        }

        private func lines(_ follower: Child) -> [Substring] {
            ((try? String(contentsOf: follower.output, encoding: .utf8)) ?? "").split(separator: "\n")
        }
    }
}
