import EventFixtures
import Testing
import Values

/// The service.
@Suite(.serialized) struct RunTests {
    @Test(arguments: [Int32(15), 2])
    func `an event is in its document soon, a receipt is closed, and a stop is clean`(signal: Int32) async throws {
        try await Installation.run(lease: "10m", ["jobs/drain.yaml": "version: 1\njob: drain\nevery: 1s\n"]) { installation in
            let service = try installation.start(["run"])
            _ = try await eventually("the lease is held") { try await installation.documents("millrace.leases").first?["holder"] }
            // As a producer in any language does it.
            let start = ContinuousClock.now
            _ = try await installation.redis("RPUSH", installation.list(), EventText("1", "stockAdjusted", key: "a", data: ["delta": 5]).json)
            _ = try await eventually("the document is there") { try await installation.documents("product", ["_id": "a"]).first }
            // Within a second, but for a machine that runs all tests at once.
            #expect(ContinuousClock.now - start < .seconds(20))
            #expect(try await installation.json("get", "product", "a") == ["_id": "a", "stock": 5])

            let run = try await eventually("a receipt is closed") { try await installation.documents("millrace.runs").first }
            #expect(run["job"] == "drain" && run["sums"]?.number("received") == 1)

            _ = try await installation.redis("RPUSH", installation.list(), EventText("2", "stockAdjusted", key: "a", data: ["delta": 2]).json)
            _ = try await eventually("the second event is there") { try await installation.documents("product", ["stock": 7]).first }
            service.send(signal)
            let ended = try await service.ended(within: .seconds(30))
            #expect(ended.code == 0, "\(ended.errors)")
            #expect(ended.output == "")
            // What was not in a receipt yet is in the last one; and the lease is free.
            #expect(try await installation.documents("millrace.runs").compactMap { $0["sums"]?.number("received") }.reduce(0, +) == 2)
            #expect(try await installation.documents("millrace.leases").first?["until"] == .date(0))
        }
    }

    @Test func `unless nothing moved`() async throws {
        try await Installation.run(lease: "10m", ["jobs/drain.yaml": "version: 1\njob: drain\nevery: 1s\n"]) { installation in
            let service = try installation.start(["run"])
            _ = try await installation.redis("RPUSH", installation.list(), EventText("1", "stockAdjusted", key: "a", data: ["delta": 5]).json)
            // One receipt or two: a turn may fall between the event's arrival and its application.
            let receipts = try await eventually("the event's application is in a receipt") {
                let runs = try await installation.documents("millrace.runs")
                return runs.contains { $0["sums"]?.asDocument?["models"]?.asDocument?["product"]?.number("applied") == 1 } ? runs.count : nil
            }
            // Two more of its turns: nothing tells of a receipt that is not written.
            try await Task.sleep(for: .milliseconds(2200))
            service.send(15)
            #expect(try await service.ended(within: .seconds(30)).code == 0)
            #expect(try await installation.documents("millrace.runs").count == receipts)
        }
    }

    @Test func `two services share the work of a stream and each event counts once`() async throws {
        try await Installation.run(lease: "2s", partitions: 2) { installation in
            let services = try (0..<2).map { _ in try installation.start(["run"]) }
            let events = (0..<2000).map { EventText("\($0)", "stockAdjusted", key: .string("key-\($0 % 20)"), data: ["delta": 1]).json + "\n" }
            #expect(try await installation.millrace("push", "product", input: events.joined()).code == 0)
            #expect(try await installation.json("drain", "--once").fields.isEmpty == false)
            for service in services {
                service.send(15)
                #expect(try await service.ended(within: .seconds(30)).code == 0)
            }
            #expect(try await installation.documents("product").map { $0["stock"] } == Array(repeating: 100, count: 20))
        }
    }
}
