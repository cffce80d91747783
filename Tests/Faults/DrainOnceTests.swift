import Fixtures
import Foundation
import Testing

extension Faults {
    /// A command that ends outlives what a service outlives.
    @Suite(.onStage) struct DrainOnceTests {
        private static let backlog = 30_000
        private static let faults = Fault.all.filter { ["redis-killed", "mongodb-primary-killed", "mongodb-primary-stepped-down"].contains($0.name) }

        @Test(arguments: faults)
        func `drain --once outlives a fault of a server, and its sums agree`(fault: Fault) async throws {
            let stage = try OnStage.current
            try await Place.with([Place.Stream(settings: ["chunk: { events: 500 }"])], on: stage.servers, lease: "5s") { place in
                var events = try TraceEvents(keys: 30_000)
                let journal = try place.journal()
                try await place.push(events.next(Self.backlog), journal)
                let seed = try #require(Seed.ofThisRun.first)
                let scene = Scene(stage, place, journal, round: 0, seed)
                let drain = try place.start(.release, ["drain", "--once", "--json"])
                try await until(every: .milliseconds(1), "it is in the middle") { try await place.mongo.tail("trace") > 0 }
                #expect(drain.isRunning, "the fault came too late")
                try await fault.strike(scene)
                let ended = try await drain.ended()
                #expect(ended.cause == .exit(0), "\(fault): \(ended.errors)")
                if ended.cause == .exit(0) {
                    let receipt = try DrainReceipt(of: ended)
                    receipt.expectSums()
                    #expect(receipt.received == Self.backlog)
                    #expect(receipt.models["trace"]?.applied == Self.backlog)
                }
                try await stage.repair()
                try await place.drain().expectSums()
                try await place.expectAllWell("trace", journal.file)
            }
        }
    }
}
