import EventFixtures
import Fixtures
import Testing
import Values

@Suite(.serialized) struct GetTests {
    private static let measured = """
        {"eventId":"1","eventType":"productMeasured","key":"p-1","occurredAt":"2026-11-20T10:00:00.123Z","schemaVersion":2,\
        "data":{"z":1,"a":{"y":[1,{"b":null,"a":true}],"x":"é\\u0000\\"€😀"},"large":9007199254740993,"small":-9223372036854775808,\
        "int":2147483648,"double":1.0,"tiny":5e-324,"third":0.1,"negative":-0.0,"huge":1e300,"":{},"a.b":[],"$x":"$y"}}
        """

    @Test func `a document comes back with its types, and its fields in order`() async throws {
        try await Installation.run { installation in
            let pushed = try await installation.millrace("push", "product", input: Self.measured)
            #expect(pushed.code == 0)
            #expect(try await installation.json("drain", "--once")["models"]?.asDocument?["product"]?.number("applied") == 1)
            let ended = try await installation.millrace("get", "product", "p-1", "--json")
            #expect(ended.code == 0 && ended.errors == "")
            let expected = """
                {"_id":"p-1","measured":{"z":1,"a":{"y":[1,{"b":null,"a":true}],"x":"é\\u0000\\"€😀"},"large":"9007199254740993",\
                "small":"-9223372036854775808","int":2147483648,"double":1.0,"tiny":5e-324,"third":0.1,"negative":-0.0,"huge":1e+300,\
                "":{},"a.b":[],"$x":"$y"},"at":"2026-11-20T10:00:00.123Z","version":2}

                """
            #expect(ended.output == expected)

            // The same on several lines.
            let pretty = try await installation.millrace("get", "product", "p-1")
            #expect(pretty.output.split(separator: "\n").count > 20)
            #expect(try JSONText.parse(pretty.output.trimmingSuffix("\n")).get() == JSONText.parse(expected.trimmingSuffix("\n")).get())
        }
    }

    @Test func `what is stored has the types that MongoDB knows`() async throws {
        try await Installation.run { installation in
            _ = try await installation.millrace("push", "product", input: Self.measured)
            _ = try await installation.json("drain", "--once")
            let stored = try #require(try await installation.documents("product").first)
            let measured = try #require(stored["measured"]?.asDocument)
            #expect(measured["large"] == .int64(9_007_199_254_740_993) && measured["int"] == .int64(2_147_483_648) && measured["z"] == .int32(1))
            #expect(measured["double"] == .double(1) && measured["negative"] == .double(-0.0))
            #expect(stored["at"] == .date(1_795_168_800_123))
            #expect(stored.fields.map(\.name) == ["_id", "_position", "measured", "at", "version"])
        }
    }

    @Test func `what is not there is said so`() async throws {
        try await Installation.run { installation in
            for _ in 1...2 {
                let ended = try await installation.millrace("get", "product", "p 9", "--json")
                #expect(ended.code == 1)
                #expect(ended.output == "")
                #expect(ended.errors == "millrace: no-such-document: product has no document p 9\n")
                // First there is no build, then one without the document.
                try await installation.drain([EventText("1", "stockAdjusted", key: "é", data: ["delta": 1])])
            }
            #expect(try await installation.millrace("get", "product", "e\u{301}").code == 1, "looks like é, and is another key")
            #expect(try await installation.json("get", "product", "é") == ["_id": "é", "stock": 1])
        }
    }

    @Test func `an orphan is kept, counted and not shown, until its root event has come`() async throws {
        let model = """
            version: 1
            model: product
            stream: product
            root: created
            fold:
              created: { $set: { name: $data.name } }
              reviewed: { $contribute: { reviews: { by: $eventId, count: true, total: $data.rating } } }

            """
        try await Installation.run(["config/models/product.yaml": model]) { installation in
            try await installation.drain([EventText("1", "reviewed", key: "a", data: ["rating": 4])])
            let orphan = try await installation.millrace("get", "product", "a")
            #expect(orphan.code == 1 && orphan.output == "")
            #expect(orphan.errors.contains("orphan: product has a document a that no root event has made whole yet"))
            // The view is what outsiders read.
            #expect(try await installation.documents("product").isEmpty)
            func orphans() async throws -> Int64? {
                try await installation.json("status")["models"]?.asDocument?["product"]?.number("orphans")
            }
            #expect(try await orphans() == 1)

            try await installation.drain([EventText("2", "created", key: "a", data: ["name": "A"])])
            #expect(try await installation.json("get", "product", "a") == ["_id": "a", "reviews": ["count": 1, "total": 4], "name": "A"])
            #expect(try await installation.documents("product").map { $0["_id"] } == ["a"])
            #expect(try await orphans() == 0)
        }
    }
}
