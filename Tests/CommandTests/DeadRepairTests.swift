import EventFixtures
import Fixtures
import Foundation
import Testing
import Values

/// Retries beside everything else that happens to documents. A second model that never parked anything has what must come
/// out of it.
@Suite(.serialized) struct DeadRepairTests {
    private static let files = ["product", "control"].map { name in
        ("config/models/\(name).yaml", Installation.model.replacing("model: product", with: "model: \(name)"))
    }

    private static func run(_ body: (Installation) async throws -> Void) async throws {
        try await Installation.run(Dictionary(files, uniquingKeysWith: { $1 })) { installation in
            // Makes the collections.
            _ = try await installation.json("drain", "--once")
            try await body(installation)
        }
    }

    /// Events whose order shows: the last name is the one that stays.
    private static func events(_ numbers: Range<Int>, keys: Int) -> [EventText] {
        numbers.map { number in
            number % 3 == 0
                ? EventText("\(number)", "productRenamed", key: .string("k\(number % keys)"), data: ["name": .string("name \(number)")])
                : EventText("\(number)", "stockAdjusted", key: .string("k\(number % keys)"), data: ["delta": .int32(Int32(number % 7))])
        }
    }

    /// Decides that events of the product model are parked unread, as if they had killed workers.
    private static func crashPark(_ installation: Installation, _ events: [EventText], _ numbers: [Int]) async throws {
        for page in stride(from: 0, to: numbers.count, by: 5000) {
            let letters = numbers[page..<min(numbers.count, page + 5000)].map { number -> Value in
                [
                    "_id": ["b": "product@1", "s": "product", "p": .int32(0), "o": .int64(Int64(number))], "format": 1, "problem": "crash-parked",
                    "message": "it was parked unread", "key": events[number].key, "type": .string(events[number].type), "at": .date(0),
                    "decision": "crash-parked",
                ]
            }
            try await installation.command(["insert": "millrace.dead_letters", "documents": .array(letters), "writeConcern": ["w": "majority"]])
        }
    }

    private static func push(_ installation: Installation, _ events: [EventText]) async throws {
        let pushed = try await installation.millrace("push", "product", input: events.map { $0.json + "\n" }.joined())
        #expect(pushed.code == 0, "\(pushed.errors)")
    }

    /// Everything of the product model is as if nothing had ever been parked.
    private static func expectAllWell(_ installation: Installation) async throws {
        let (product, control) = (try await installation.documents("product@1"), try await installation.documents("control@1"))
        #expect(!control.isEmpty && product.sorted { "\($0)" < "\($1)" } == control.sorted { "\($0)" < "\($1)" })
        #expect(try await installation.documents("millrace.dead_letters").isEmpty)
        let totals = try await installation.documents("millrace.checkpoints").map { checkpoint in
            ["logged", "applied", "ignored", "parked", "held", "drift"].map { checkpoint["totals"]?.asDocument?[$0] }
        }
        #expect(totals.count == 2 && totals[0] == totals[1])
    }

    @Test func `what was parked unread is folded where it belongs, and once`() async throws {
        try await Self.run { installation in
            let events = Self.events(0..<60, keys: 4)
            try await Self.crashPark(installation, events, [0, 3, 4, 17, 30])
            try await Self.push(installation, events)
            #expect(try await installation.json("drain", "--once", code: 1)["models"]?.asDocument?["product"]?.number("parked") == 5)
            let dropped = try await installation.json("dead", "drop", "product@1/product/0@4")
            #expect(dropped["documents"] == 0 && dropped["settled"] == 1)
            // A drop of what was parked unread is taken back to that.
            #expect(try await installation.json("dead", "restore", "product@1/product/0@4")["parked"] == 1)
            _ = try await installation.json("dead", "drop", "product@1/product/0@3")

            #expect(try await installation.json("dead", "retry", "--problem", "crash-parked", "--dry-run")["settled"] == 4)
            let retried = try await installation.json("dead", "retry", "--problem", "crash-parked", "--expect", "4")
            #expect(retried["settled"] == 4 && retried["parked"] == 0)
            #expect(try await installation.json("dead", "retry", "--dropped")["settled"] == 1)
            try await Self.expectAllWell(installation)
            #expect(try await installation.json("dead", "retry", "--all")["letters"] == 0)
        }
    }

    @Test func `a drop that is taken back holds the later events of its key again`() async throws {
        let model = "version: 1\nmodel: product\nstream: product\nonError: hold\nfold:\n  stockAdjusted: { $inc: { stock: $data.delta } }\n"
        try await Installation.run(["config/models/product.yaml": model]) { installation in
            let deltas: [Value] = [1, "many", 10, 100]
            try await Self.push(installation, deltas.enumerated().map { EventText("\($0)", "stockAdjusted", key: "a", data: ["delta": $1]) })
            _ = try await installation.json("drain", "--once", code: 1)
            func state() async throws -> [Int64?] {
                let totals = try await installation.documents("millrace.checkpoints").first?["totals"]?.asDocument
                let document = try await installation.json("get", "product", "a")
                return [document["stock"]?.asInteger] + ["applied", "ignored", "parked", "held"].map { totals?[$0]?.asInteger }
            }
            #expect(try await state() == [1, 1, 0, 1, 2])
            #expect(try await installation.json("dead", "drop", "--all")["documents"] == 1)
            #expect(try await state() == [111, 3, 1, 0, 0])
            #expect(try await installation.json("dead", "restore", "--all")["documents"] == 1)
            #expect(try await state() == [1, 1, 0, 1, 2])
        }
    }

    /// More than one transaction: one is killed within, one behind its commit.
    @Test func `a bulk retry that is killed is finished by the next, and does not stop the projection for long`() async throws {
        let isLong = ProcessInfo.processInfo.environment["MILLRACE_LONG"] != nil
        let points = ["dead-letters-written:2", "committed:1"] + (isLong ? ["transaction-started:1", "checkpoint-moved:1", "documents-written:1"] : [])
        for point in points {
            try await Self.run { installation in
                let events = Self.events(0..<24_000, keys: 700)
                try await Self.crashPark(installation, events, (0..<24_000).filter { $0 % 8 != 0 })
                try await Self.push(installation, events)
                #expect(try await installation.json("drain", "--once", code: 1)["models"]?.asDocument?["product"]?.number("parked") == 21_000)

                let killed = try await installation.millrace("dead", "retry", "--all", environment: ["MILLRACE_CRASH_AT": point])
                #expect(killed.code == 128 + SIGKILL, "\(point): \(killed.output) \(killed.errors)")
                // The dead one's transaction may be open, and holds the checkpoint.
                let started = ContinuousClock.now
                let more = Self.events(24_000..<24_100, keys: 700)
                try await Self.push(installation, more)
                _ = try await installation.json("drain", "--once")
                #expect(ContinuousClock.now - started < .seconds(40), "\(point)")

                let left = try await installation.jsonLines("dead", "list", "--all", "--limit", "100000").count
                #expect(0 < left && left <= 21_000)
                let finished = try await installation.json("dead", "retry", "--all", "--expect", "\(left)")
                #expect(finished["settled"] == .int32(Int32(left)) || finished.number("settled") == Int64(left))
                try await Self.expectAllWell(installation)
            }
        }
    }

    @Test func `retries go on beside a drain, and neither loses what the other does`() async throws {
        try await Self.run { installation in
            let events = Self.events(0..<6000, keys: 90)
            try await Self.crashPark(installation, events, (0..<6000).filter { $0 % 5 == 1 })
            let service = try installation.start(["run"])
            for round in 0..<12 {
                try await Self.push(installation, Array(events[round * 500..<(round + 1) * 500]))
                // Beside the service, and beside another retry.
                async let one = installation.millrace("dead", "retry", "--all")
                async let other = installation.millrace("dead", "retry", "--key", "k1", "--model", "product")
                for ended in [try await one, try await other] { #expect(ended.code == 0, "round \(round): \(ended.output) \(ended.errors)") }
            }
            kill(service.pid, SIGTERM)
            #expect(try await service.ended().code == 0)
            _ = try await installation.millrace("drain", "--once")
            #expect(try await installation.json("dead", "retry", "--all")["parked"] == 0)
            try await Self.expectAllWell(installation)
        }
    }
}
