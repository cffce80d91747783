import Events
import Foundation
import Testing

extension Faults {
    /// Elements that are no events: none is dropped, none stops the stream.
    @Suite struct UndecodableTests {
        struct Odd: Sendable {
            var problem: String
            var bytes: [UInt8]

            init(_ problem: String, _ text: String) { self.init(problem, Array(text.utf8)) }

            init(_ problem: String, _ bytes: [UInt8]) {
                self.problem = problem
                self.bytes = bytes
            }
        }

        private static let maxEventBytes = 1 << 20
        private static let head = 64 << 10

        /// An event with one member written differently, all of it as `TraceEvents` writes it.
        private static func event(_ member: String = "blue", _ replacement: String = "blue") -> String {
            #"{"eventId":"odd","eventType":"counted","key":"k-1","occurredAt":"2026-11-20T10:00:00Z","data":{"amount":1,"seq":1,"tag":"blue"}}"#
                .replacing(member, with: replacement)
        }

        private static func nested(_ levels: Int) -> String { String(repeating: "[", count: levels) + String(repeating: "]", count: levels) }

        private static let odds: [Odd] = [
            Odd("empty-element", ""),
            Odd("empty-element", "  \n "),
            Odd("bad-json", #"{"eventId":"odd","eventType":"cou"#),
            Odd("bad-json", event("}}", "}} {")),
            Odd("bad-json", "\u{feff}" + event()),
            Odd("not-utf8", event("blue", "@").utf8.map { $0 == UInt8(ascii: "@") ? 0xff : $0 }),
            Odd("not-an-object", "[" + event() + "]"),
            Odd("not-an-object", "7"),
            Odd("too-deep", nested(100_000)),
            Odd("too-deep", event("\"blue\"", nested(100_000))),
            Odd("bad-json", String(repeating: "[", count: 100_000)),
            Odd("bad-event-id", event(#""eventId":"odd","#, "")),
            Odd("bad-event-id", event(#""odd""#, "17")),
            Odd("bad-event-id", event(#""odd""#, #""""#)),
            Odd("bad-event-type", event(#""counted""#, "null")),
            Odd("no-key", event(#""key":"k-1","#, "")),
            Odd("bad-key", event(#""k-1""#, #"{"a":1}"#)),
            Odd("bad-key", event("k-1", #"k\u0000"#)),
            Odd("bad-key", event("k-1", String(repeating: "k", count: 513))),
            Odd("bad-time", event("2026-11-20T10:00:00Z", "yesterday")),
            Odd("bad-number", event(#""amount":1"#, #""amount":9223372036854775808"#)),
            Odd("bad-string", event("blue", #"\ud800"#)),
            Odd("duplicate-name", event(#""seq":1"#, #""seq":1,"seq":1"#)),
            Odd("nul-in-name", event(#""seq":1"#, #""seq":1,"a\u0000":1"#)),
            Odd("oversize", event("blue", String(repeating: "x", count: maxEventBytes))),
        ]

        @Test func `what is no event is counted, kept and shown, and the stream goes on`() async throws {
            try await Place.with([Place.Stream(settings: ["chunk: { events: 10 }"], models: ["trace", "trace-again"])]) { place in
                let journal = try place.journal()
                var events = try TraceEvents()
                try await place.push(events.next(15), journal)
                for odd in Self.odds {
                    try await place.push([odd.bytes], onto: place.list())
                    try await place.push(events.next(1), journal)
                }
                try await place.push(events.next(15), journal)

                let receipt = try await place.drain()
                receipt.expectSums()
                #expect(receipt.undecodable == Self.odds.count)
                for model in ["trace", "trace-again"] {
                    #expect(receipt.models[model]?.parked == Self.odds.count)
                    #expect(receipt.models[model]?.applied == 30 + Self.odds.count)
                }
                try await place.expectAllWell("trace", journal.file, refused: Self.odds.count)
                // One dead letter each, though two models park it.
                #expect(try await place.status().deadLetters == Self.odds.count)
                let kept = try RefusedEntry.read(try await place.log())
                #expect(kept.map(\.problem) == Self.odds.map(\.problem))
                for (entry, odd) in zip(kept, Self.odds) {
                    let expected = odd.problem == "oversize" ? Array(odd.bytes.prefix(Self.head)) : odd.bytes
                    #expect(entry.bytes == expected, "\(odd.problem)")
                    #expect(!entry.message.isEmpty)
                }
                #expect(try await place.redis.elements(of: place.list() + ":oversize") == Self.odds.filter { $0.problem == "oversize" }.map(\.bytes))
                // Nothing was parked in the next run.
                #expect(try await place.drain().undecodable == 0)
                tally("\(Self.odds.count) kinds of elements that are no events: counted, kept and shown")
            }
        }

        @Test func `an element in another partition's list is parked, and the right list is named`() async throws {
            try await Place.with([Place.Stream(partitions: 2)]) { place in
                let journal = try place.journal()
                var events = try TraceEvents()
                // Of these, about half do not belong there.
                let elements = events.next(100)
                try await place.push(elements, onto: place.list())
                try await place.push(events.next(50), journal)
                let receipt = try await place.drain()
                receipt.expectSums()
                let refused = try RefusedEntry.read(try await place.log())
                #expect(refused.count == receipt.undecodable)
                #expect((20...80).contains(refused.count))
                for entry in refused {
                    #expect(entry.problem == "wrong-partition")
                    #expect(entry.message.contains("push it onto \(place.list("trace", 1))"))
                    #expect(elements.contains(entry.bytes))
                }
                // The others are events like any other.
                let right = elements.filter { element in !refused.contains { $0.bytes == element } }
                let first = try place.journal("first")
                try await first.append(right)
                try await place.expectAllWell("trace", first.file, journal.file, refused: refused.count)
            }
        }

        @Test func `memory grows by no more than the largest element`() async throws {
            let large = 100_000_000
            try await Place.with { place in
                let journal = try place.journal()
                var events = try TraceEvents()
                let worker = try place.start(.release, ["run"])
                // What a worker needs for elements of the usual size, and for one that is just small enough.
                let usual = Array(Self.event("blue", String(repeating: "x", count: 900_000)).utf8)
                try await place.push(events.next(5000) + [usual] + events.next(5000), journal)
                try await until("the first events are applied") { try await place.checkpoints(reach: 10_001) }
                guard let before = worker.peakMemory else { throw Failure("no VmHWM") }

                let giants = [large, large / 2].map { [UInt8](repeating: UInt8(ascii: "x"), count: $0) }
                for giant in giants { try await place.push([giant], onto: place.list()) }
                try await place.push(events.next(5000), journal)
                try await until(within: .seconds(60), "the last events are applied") { try await place.checkpoints(reach: 15_003) }
                guard let after = worker.peakMemory else { throw Failure("no VmHWM") }
                try await worker.expectStop()
                try await place.drain().expectSums()
                try await place.expectAllWell("trace", journal.file, refused: giants.count)

                let kept = try await place.redis.elements(of: place.list() + ":oversize")
                #expect(kept.count == giants.count && zip(kept, giants).allSatisfy { $0 == $1 }, "L:oversize holds \(kept.map(\.count))")
                let grown = after.bytes - before.bytes
                tally("peak memory: \(before.bytes >> 20) MiB before, \(after.bytes >> 20) MiB after elements of 100 and 50 MB")
                #expect(grown < large + large / 10, "memory grew by \(grown) bytes")
            }
        }
    }
}

/// An element of the log that is no event, as `millrace events --json` prints it.
private struct RefusedEntry {
    var problem: String
    var message: String
    var bytes: [UInt8]

    private struct Line: Decodable {
        var kind: String
        var problem, message, base64: String?
    }

    static func read(_ log: URL) throws -> [RefusedEntry] {
        try String(contentsOf: log, encoding: .utf8).split(separator: "\n").compactMap { line in
            let line = try JSONDecoder().decode(Line.self, from: Data(line.utf8))
            guard line.kind == "refused", let problem = line.problem, let message = line.message, let bytes = line.base64.flatMap({ Data(base64Encoded: $0) })
            else { return nil }
            return RefusedEntry(problem: problem, message: message, bytes: Array(bytes))
        }
    }
}
