import Foundation
import Testing
import Values

extension Faults {
    @Suite struct ShutdownTests {
        /// A command is interrupted in the middle of a backlog; `body` gets how it ended and how long that took.
        private func interrupt(_ arguments: [String], backlog: Int, _ body: (Place, Child.Ended, Duration) async throws -> Void) async throws {
            try await Place.with { place in
                let journal = try place.journal()
                var events = try TraceEvents(keys: 20_000)
                try await place.push(events.next(backlog), journal)
                let child = try place.start(.release, arguments)
                try await until(every: .milliseconds(1), "it is in the middle") { try await place.mongo.checkpoints("trace").contains { $0 > 0 } }
                let asked = ContinuousClock.now
                let ended = try await child.stop(within: .seconds(30))
                let time = ContinuousClock.now - asked
                try await body(place, ended, time)

                let applied = try await place.mongo.checkpoints("trace").first ?? 0
                #expect(0 < applied && applied < backlog, "it was not in the middle: \(applied)")
                let receipt = try await place.drain()
                receipt.expectSums()
                #expect(receipt.models["trace"]?.applied == backlog - applied)
                try await place.expectAllWell("trace", journal.file)
                tally("SIGTERM to \(arguments[0]) after \(applied) of \(backlog) events: \(ended.cause) after \(time.rounded)")
            }
        }

        @Test func `SIGTERM to run in the middle of a backlog ends it with 0 in time, and with a receipt`() async throws {
            try await interrupt(["run"], backlog: 80_000) { place, ended, time in
                #expect(ended.cause == .exit(0), "\(ended.errors)")
                #expect(time < .seconds(10))
                // The receipts of the run count what it logged and applied, up to the last batch.
                let receipts = try await place.mongo.find("millrace.runs").compactMap { $0["sums"]?.asDocument }
                #expect(!receipts.isEmpty)
                let received = receipts.reduce(0) { $0 + ($1["received"]?.asInteger ?? 0) }
                #expect(try await Int(received) == place.mongo.tail("trace"))
                let applied = receipts.reduce(0) { $0 + ($1["models"]?.asDocument?["trace"]?.asDocument?["applied"]?.asInteger ?? 0) }
                #expect(try await [Int(applied)] == place.mongo.checkpoints("trace"))
                // The lease was given back, so that nobody has to wait for it.
                #expect(try await place.mongo.find("millrace.leases").first?["until"]?.asDate == 0)
            }
        }

        @Test func `SIGTERM to drain --once ends it with 143, and what was done is kept`() async throws {
            try await interrupt(["drain", "--once"], backlog: 40_000) { _, ended, time in
                #expect(ended.cause == .exit(143), "\(ended.errors)")
                #expect(ended.errors.hasPrefix("millrace: interrupted"), "\(ended.errors)")
                #expect(time < .seconds(10))
            }
        }
    }
}
