import Foundation
import Testing
import Values

extension Faults {
    /// An event on which the process dies, whenever it decodes or folds it.
    @Suite struct KillerEventTests {
        private static let events = 40
        private static let killer = 17
        /// Three deaths until the workers become careful, six halvings of forty, three of the event alone.
        private static let mostDeaths = 3 + 6 + 3

        @Test(arguments: ["decode", "fold"])
        func `an event that kills the process is found and parked, and the rest is applied`(stage: String) async throws {
            let streams = [Place.Stream(models: ["trace", "trace-again"]), Place.Stream(name: "without", models: ["without"])]
            try await Place.with(streams, lease: "1s") { place in
                var trace = try TraceEvents(keys: 10)
                let journal = try place.journal()
                let elements = trace.next(Self.events)
                try await place.push(elements, journal)
                try await place.push(Array(elements[..<Self.killer] + elements[(Self.killer + 1)...]), onto: place.list("without"))
                var deaths = 0
                var last: Child.Ended
                repeat {
                    last = try await place.run(
                        .debug, ["drain", "--once", "--json", "trace"], environment: ["MILLRACE_CRASH_ON": "\(stage):\"seq\":\(Self.killer),"])
                    if last.cause == .signal(SIGKILL) { deaths += 1 }
                } while last.cause == .signal(SIGKILL) && deaths < 100
                #expect(last.cause == .exit(1), "\(last.summary)")
                // The fold of each model is found by itself.
                #expect((3...Self.mostDeaths * (stage == "fold" ? 2 : 1)).contains(deaths), "\(deaths) deaths")
                let letters = try await place.mongo.find("millrace.dead_letters")
                #expect(letters.map { $0["problem"] } == (stage == "fold" ? ["crash-parked", "crash-parked"] : ["crash-parked"]))
                #expect(letters.allSatisfy { $0["_id"]?.asDocument?["o"] == .int64(Int64(Self.killer)) }, "\(letters)")

                // Also where documents are folded again from the log, because somebody changed them, the decision holds.
                let stored = try await place.mongo.find("trace@1")
                for document in stored { try await place.mongo.update("trace@1", ["_id": document["_id"] ?? .null], ["$unset": ["_position": ""]]) }
                let more = trace.next(Self.events * 5)
                try await place.push(more, journal)
                try await place.push(more, onto: place.list("without"))
                try await place.drain().expectSums()
                let expected = try await documents(place, "without@1")
                #expect(!expected.isEmpty && stored.count > 5)
                for build in ["trace@1", "trace-again@1"] { #expect(try await documents(place, build) == expected, "\(build)") }
                #expect(try await place.status().models["trace"]?.lag == 0)
                tally("an event that kills the process when it is \(stage == "fold" ? "folded" : "decoded"): parked after \(deaths) deaths")
            }
        }

        /// Without their positions.
        private func documents(_ place: Place, _ build: String) async throws -> [Document] {
            try await place.mongo.find(build, fields: ["_position": 0])
        }
    }
}
