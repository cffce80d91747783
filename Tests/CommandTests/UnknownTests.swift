import EventFixtures
import Fixtures
import Testing
import Values

/// Event types and schema versions that nobody knows.
@Suite(.serialized) struct UnknownTests {
    private func types(_ installation: Installation) async throws -> [Document] {
        let status = try await installation.json("status")
        return status["streams"]?.asDocument?["product"]?.asDocument?["unknownTypes"]?.asArray?.compactMap(\.asDocument) ?? []
    }

    @Test func `types that no model names are counted, with the first and the last offset`() async throws {
        let second = "version: 1\nmodel: second\nstream: product\nfold:\n  viewed: { $inc: { views: 1 } }\n"
        try await Installation.run(["config/models/second.yaml": second]) { installation in
            func push(_ types: String...) async throws {
                let ids = try await installation.documents("millrace.log").count
                try await installation.drain(types.enumerated().map { EventText("\(ids)-\($0)", $1, key: "a", data: ["delta": 1]) })
            }
            try await push("stockAdjusted", "viewed")
            #expect(try await types(installation).isEmpty, "each is named by one of them")
            try await push("bought", "viewed", "bought", "sold")
            try await push("bought")
            let expected: [Document] = [
                ["type": "bought", "events": 3, "first": "product/0@2", "last": "product/0@6"],
                ["type": "sold", "events": 1, "first": "product/0@5", "last": "product/0@5"],
            ]
            #expect(try await types(installation).map { JSON.write(.document($0)) } == expected.map { JSON.write(.document($0)) })
            let text = try await installation.millrace("status").output
            #expect(text.contains("type that no model names") && text.contains("bought"))
            // They are ignored, and nothing is parked.
            #expect(try await installation.json("status")["deadLetters"] == 0)
        }
    }

    @Test func `a flood of types is counted together from the thousandth on`() async throws {
        try await Installation.run { installation in
            for start in [0, 700] {
                try await installation.drain((start..<start + 700).map { EventText("\($0)", "type-\($0)", key: "a") })
            }
            let counted = try await installation.documents("millrace.unknown_types")
            #expect(counted.count == 1001)
            let others = try await installation.documents("millrace.unknown_types", ["_id.t": .null])
            #expect(others.map { $0["count"] } == [.int64(400)] && others.map { $0["first"] } == [.int64(1000)] && others.map { $0["last"] } == [.int64(1399)])
            // In another run they are still the same thousand.
            try await installation.drain([EventText("again", "type-3", key: "a"), EventText("once more", "type-1200", key: "a")])
            #expect(try await installation.documents("millrace.unknown_types", ["_id.t": "type-3"]).first?["count"] == .int64(2))
            #expect(try await installation.documents("millrace.unknown_types", ["_id.t": .null]).first?["count"] == .int64(401))
        }
    }

    @Test func `a build goes on with the upcasts it was made with`() async throws {
        try await Installation.run { installation in
            func use(_ upcast: String) throws {
                try installation.write(
                    "config/millrace.yaml", "version: 1\nstreams:\n  product: { list: \"\(installation.list())\", upcast: { stockAdjusted: \(upcast) } }\n")
            }
            func state() async throws -> Value? { try await installation.json("check")["models"]?.asDocument?["product"]?.asDocument?["state"] }
            try use("{ 1: { $rename: { data.by: data.delta } } }")
            try await installation.drain([EventText("1", "stockAdjusted", key: "a", data: ["by": 5])])
            #expect(try await state() == "live")
            try use("{ 1: { $set: { data.delta: 1000 } } }")
            #expect(try await state() == "rebuild needed")
            try await installation.drain([EventText("2", "stockAdjusted", key: "a", data: ["by": 2])])
            #expect(try await installation.json("get", "product", "a")["stock"] == 7)
            // What is said of types that the model ignores is no part of it.
            try use("{ 1: { $rename: { data.by: data.delta } } }, other: { 1: { $unset: { data.x: 1 } } }")
            #expect(try await state() == "live")
        }
    }
}
