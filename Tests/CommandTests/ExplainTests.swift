import EventFixtures
import Testing
import Values

@Suite(.serialized) struct ExplainTests {
    @Test func `each field names its event, and what changed nothing its reason`() async throws {
        try await Installation.run(partitions: 3) { installation in
            try await installation.drain([
                EventText("e-1", "productRenamed", key: "a", data: ["name": "Lamp"], occurredAt: "2026-11-20T10:00:00Z"),
                EventText("e-2", "stockAdjusted", key: "a", data: ["delta": 5], occurredAt: "2026-11-20T10:00:01Z"),
                EventText("e-3", "stockAdjusted", key: "b", data: ["delta": 9]),
                EventText("e-4", "productPainted", key: "a", occurredAt: "2026-11-20T10:00:02Z"),
                EventText("e-2", "stockAdjusted", key: "a", data: ["delta": 5], occurredAt: "2026-11-20T10:00:01Z"),
            ])
            let ended = try await installation.millrace("explain", "product", "a")
            #expect(ended.code == 0, "\(ended.errors)")
            let lines = ended.output.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
            #expect(lines.count == 11, "\(ended.output)")
            #expect(lines[0] == "field  value   made by         event  offset  at")
            #expect(lines[1] == "name   \"Lamp\"  productRenamed  e-1         0  2026-11-20T10:00:00.000Z")
            #expect(lines[2] == "stock  5       stockAdjusted   e-2         1  2026-11-20T10:00:01.000Z")
            #expect(lines[5].hasPrefix("ignored    productPainted  e-4 "), "\(lines[5])")
            #expect(lines[6].hasPrefix("duplicate  stockAdjusted   - ") && lines[6].hasSuffix("it is the event of offset 1 again"), "\(lines[6])")
            #expect(lines[8].hasPrefix("applied 2, ignored 1, parked 0, held 0, duplicates 1 of product/"), "\(lines[8])")
            #expect(lines[9] == "the stored document is what the log makes it")
        }
    }

    @Test func `drift is seen, and where there is no document, why`() async throws {
        try await Installation.run { installation in
            let before = try await installation.millrace("explain", "product", "a")
            #expect(before.code == 64 && before.errors.contains("product has no build yet"), "\(before.errors)")
            try await installation.drain([EventText("e-1", "stockAdjusted", key: "a", data: ["delta": 5])])
            let good = try await installation.json("explain", "product", "a")
            #expect(good["asLogged"] == true && good["exists"] == true && good["applied"].flatMap(\.asInteger) == 1)
            let field = good["fields"]?.asArray?.first?.asDocument
            #expect(field?["path"] == ["stock"] && field?["value"] == 5, "\(good)")
            #expect(field?["madeBy"]?.asDocument?["eventId"] == "e-1")

            try await installation.command([
                "update": "product@1", "updates": [["q": ["_id": "a"], "u": ["$set": ["stock": 7]]]],
            ])
            let drift = try await installation.json("explain", "product", "a")
            #expect(drift["asLogged"] == false && drift["fields"]?.asArray?.first?.asDocument?["value"] == 5, "\(drift)")

            let none = try await installation.millrace("explain", "product", "nobody")
            #expect(none.code == 1 && none.output.hasPrefix("product@1 has no document nobody: no event has made one\n"), "\(none.output)")
            let unknown = try await installation.millrace("explain", "prduct", "a")
            #expect(unknown.code == 64 && unknown.errors.contains("did you mean product?"))
        }
    }
}
