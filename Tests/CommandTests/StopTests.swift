import EventFixtures
import Foundation
import Testing
import Values

/// `onError: stop`: an event that a model cannot take stops it there.
@Suite(.serialized) struct StopTests {
    private static let model = """
        version: 1
        model: product
        stream: product
        onError: stop
        fold:
          stockAdjusted: { $inc: { stock: $data.delta } }

        """

    private static let second = Installation.model.replacing("model: product", with: "model: second")

    private static func event(_ id: Int, _ key: String, _ delta: Value) -> EventText {
        EventText("\(id)", "stockAdjusted", key: .string(key), data: ["delta": delta])
    }

    private static func push(_ installation: Installation, _ events: [EventText]) async throws {
        let pushed = try await installation.millrace("push", "product", input: events.map { $0.json + "\n" }.joined())
        #expect(pushed.code == 0, "\(pushed.errors)")
    }

    private static func sums(_ receipt: Document?) -> [Int64?] {
        ["behindBefore", "logged", "applied", "ignored", "parked", "held", "behindAfter"].map { receipt?[$0]?.asInteger }
    }

    @Test func `the model stops, its receipts add up, everybody says where, and another onError lets it go on`() async throws {
        try await Installation.run(["config/models/product.yaml": Self.model, "config/models/second.yaml": Self.second]) { installation in
            try await Self.push(
                installation, [Self.event(1, "a", 1), Self.event(2, "b", 2), Self.event(3, "a", "many"), Self.event(4, "a", 10), Self.event(5, "b", 20)])
            let ended = try await installation.millrace("drain", "--once", "--json")
            // Not 75: it does not wait for what will not come.
            #expect(ended.code == 1)
            for part in ["product@1 is stopped at product/0@2", "event 3 (stockAdjusted) of key a", "bad-operand: ", "set onError to skip or hold"] {
                #expect(ended.errors.contains(part), "\(ended.errors)")
            }
            let receipt = try #require(try ended.documents().first)
            let product = receipt["models"]?.asDocument?["product"]?.asDocument
            #expect(Self.sums(product) == [0, 5, 2, 0, 0, 0, 3])
            #expect(Self.sums(receipt["models"]?.asDocument?["second"]?.asDocument) == [0, 5, 4, 0, 1, 0, 0])
            let stopped = try #require(product?["stopped"]?.asArray?.first?.asDocument)
            #expect(stopped["offset"]?.asInteger == 2 && stopped["eventId"] == "3" && stopped["key"] == "a" && stopped["problem"] == "bad-operand")
            #expect(try await installation.json("get", "product", "a") == ["_id": "a", "stock": 1])
            #expect(try await installation.json("get", "second", "a") == ["_id": "a", "stock": 11])
            #expect(try await installation.documents("millrace.dead_letters").compactMap { $0["_id"]?.asDocument?["b"] } == ["second@1"])

            // Somebody else finds the same, and adds to what is behind.
            try await Self.push(installation, [Self.event(6, "b", 200)])
            let again = try await installation.millrace("drain", "--once", "--json")
            #expect(again.code == 1)
            #expect(Self.sums(try again.documents().first?["models"]?.asDocument?["product"]?.asDocument) == [3, 1, 0, 0, 0, 0, 4])

            let status = try await installation.json("status")["models"]?.asDocument?["product"]?.asDocument
            #expect(status?["lag"]?.asInteger == 4 && status?["note"] == "stopped at product/0@2: bad-operand")
            #expect(status?["stopped"]?.asArray?.first?.asDocument == stopped)
            let explained = try await installation.json("explain", "product", "a")
            #expect(explained["asLogged"] == true && explained["waiting"]?.asInteger == 2 && explained["stopped"]?.asDocument == stopped)
            #expect(try await installation.millrace("check").code == 0)
            #expect(try await installation.millrace("plan").code == 0)

            // Behind the checkpoint is what any other policy would have made too.
            try installation.write("config/models/product.yaml", Self.model.replacing("onError: stop", with: "onError: hold"))
            let plan = try await installation.millrace("plan")
            #expect(plan.code == 1 && plan.output.contains("in place: onError"), "\(plan.output)")
            let on = try await installation.millrace("drain", "--once", "--json")
            #expect(on.code == 1)
            #expect(Self.sums(try on.documents().first?["models"]?.asDocument?["product"]?.asDocument) == [4, 0, 2, 0, 1, 1, 0])
            #expect(try await installation.json("get", "product", "a") == ["_id": "a", "stock": 1])
            #expect(try await installation.json("get", "product", "b") == ["_id": "b", "stock": 222])
            #expect(try await installation.millrace("plan").code == 0)
            let models = try await installation.json("status")["models"]?.asDocument?["product"]?.asDocument
            #expect(models?["note"] == "" && models?["stopped"] == [])
            // What was parked since cannot be made undone.
            try installation.write("config/models/product.yaml", Self.model)
            #expect(try await installation.millrace("plan").output.contains("rebuild: onError"))
        }
    }

    @Test func `a service says it once, goes on with the others, and a drain beside it does not wait for it`() async throws {
        try await Installation.run(lease: "2s", ["config/models/product.yaml": Self.model, "config/models/second.yaml": Self.second]) { installation in
            let service = try installation.start(["run"])
            try await Self.push(installation, [Self.event(1, "a", "many"), Self.event(2, "a", 10)])
            _ = try await eventually("the model is stopped") { service.errors.contains("the model is stopped") ? true : nil }
            try await Self.push(installation, [Self.event(3, "a", 100)])
            let ended = try await installation.millrace("drain", "--once", "--json")
            #expect(ended.code == 1 && ended.errors.contains("product@1 is stopped at product/0@0"), "\(ended.errors)")
            #expect(try await installation.json("get", "second", "a") == ["_id": "a", "stock": 110])
            // Killed, it leaves nothing that its successor does not find for itself.
            service.send(SIGKILL)
            _ = try await service.ended()
            let next = try await installation.millrace("drain", "--once")
            #expect(next.code == 1 && next.errors.contains("product@1 is stopped at product/0@0"), "\(next.errors)")
            let said = service.errors.components(separatedBy: "the model is stopped").count - 1
            #expect(said == 1)
            #expect(try await installation.documents("product@1").isEmpty)
        }
    }
}
