import EventFixtures
import Testing
import Values

/// `indexes:` of a model.
@Suite(.serialized) struct IndexTests {
    private static func indexes(_ installation: Installation) async throws -> [String] {
        let reply = try await installation.command(["listIndexes": "product@1"])
        let found = reply["cursor"]?.asDocument?["firstBatch"]?.asArray ?? []
        return found.compactMap { $0.asDocument?["name"]?.asString }.filter { $0.hasPrefix("millrace:") }.sorted()
    }

    @Test func `an edit is planned, applied by the worker that starts, and planned no more`() async throws {
        try await Installation.run { installation in
            let events = (0..<500).map { EventText("\($0)", "stockAdjusted", key: .string("k\($0)"), data: ["delta": .int32($0)]) }
            try await installation.drain(events)
            #expect(try await Self.indexes(installation) == [])

            try installation.write("config/models/product.yaml", Installation.model + "indexes: [ { stock: 1, name: -1 }, { at: 1 } ]\nprivate: [ at ]\n")
            let plan = try await installation.json("plan", code: 1)["models"]?.asDocument?["product"]?.asDocument
            #expect(plan?["state"] == "changed" && plan?["serve"] == ["indexes", "private"] && plan?["fold"] == [] && plan?["eventsToFold"] == 0)
            let missing = try await installation.millrace("check", "--online")
            #expect(missing.code == 0 && missing.output.contains("product@1 lacks the index millrace:at_1,_id_1"), "\(missing.output)")
            #expect(missing.output.contains("live") && !missing.output.contains("rebuild"))

            try await installation.drain([])
            #expect(try await Self.indexes(installation) == ["millrace:at_1,_id_1", "millrace:stock_1,name_-1,_id_1"])
            #expect(try await installation.json("plan")["models"]?.asDocument?["product"]?.asDocument?["state"] == "unchanged")
            #expect(try await !installation.millrace("check", "--online").output.contains("millrace:"))

            try installation.write("config/models/product.yaml", Installation.model + "indexes: [ { at: 1 } ]\n")
            #expect(try await installation.millrace("check", "--online").output.contains("millrace:stock_1,name_-1,_id_1 of an earlier definition"))
            let service = try installation.start(["run"])
            _ = try await eventually("the index is gone") { try await Self.indexes(installation) == ["millrace:at_1,_id_1"] ? true : nil }
            service.send(15)
            #expect(try await service.ended(within: .seconds(30)).code == 0)

            // Where the fold was edited too, nothing changes before the rebuild.
            try installation.write("config/models/product.yaml", Installation.model.replacing("delta", with: "change") + "indexes: [ { stock: 1 } ]\n")
            try await installation.drain([])
            #expect(try await Self.indexes(installation) == ["millrace:at_1,_id_1"])
        }
    }

    @Test func `a document that an index cannot hold is stored, and the index is given up`() async throws {
        let model =
            Installation.model.replacing(", at: $occurredAt, version: $schemaVersion", with: "")
            + "indexes: [ { measured.a: 1, measured.b: 1 }, { stock: 1 } ]\n"
        try await Installation.run(["config/models/product.yaml": model]) { installation in
            let good = EventText("1", "productMeasured", key: "a", data: ["a": [1], "b": 2])
            try await installation.drain([good])
            #expect(try await Self.indexes(installation).count == 2)
            let pushed = try await installation.millrace(
                "push", "product", input: EventText("2", "productMeasured", key: "b", data: ["a": [1], "b": [2]]).json + "\n")
            #expect(pushed.code == 0)
            let ended = try await installation.millrace("drain", "--once")
            #expect(ended.code == 0 && ended.errors.contains("does without the index millrace:measured.a_1,measured.b_1,_id_1"), "\(ended.errors)")
            #expect(try await installation.json("get", "product", "b")["measured"] == ["a": [1], "b": [2]])
            #expect(try await Self.indexes(installation) == ["millrace:stock_1,_id_1"])
            // It is said again by every worker that starts.
            let again = try await installation.millrace("drain", "--once")
            #expect(again.code == 0 && again.errors.contains("an index cannot be made"), "\(again.errors)")
            #expect(try await installation.millrace("check", "--online").output.contains("lacks the index millrace:measured.a_1,measured.b_1,_id_1"))
        }
    }
}
