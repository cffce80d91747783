import EventFixtures
import Testing
import Values

/// `onError: hold`: what follows a parked event of its key waits for it.
@Suite(.serialized) struct HoldTests {
    private static let model = """
        version: 1
        model: product
        stream: product
        onError: hold
        fold:
          stockAdjusted: { $inc: { stock: $data.delta } }

        """

    private static func event(_ id: Int, _ key: String, _ delta: Value) -> EventText {
        EventText("\(id)", "stockAdjusted", key: .string(key), data: ["delta": delta])
    }

    @Test func `events of a key are held behind a parked one until it is dropped, across batches and workers`() async throws {
        try await Installation.run(["config/models/product.yaml": Self.model]) { installation in
            func drain(_ events: [EventText]) async throws -> Document {
                let pushed = try await installation.millrace("push", "product", input: events.map { $0.json + "\n" }.joined())
                #expect(pushed.code == 0)
                let ended = try await installation.millrace("drain", "--once", "--json")
                let receipt = try #require(try ended.documents().first)
                return try #require(receipt["models"]?.asDocument?["product"]?.asDocument)
            }
            let first = try await drain([
                Self.event(1, "a", 1), Self.event(2, "a", "many"), Self.event(3, "a", 10), Self.event(4, "b", 5), Self.event(5, "a", "more"),
            ])
            #expect(["applied", "parked", "held"].map { first[$0]?.asInteger } == [2, 1, 2])
            #expect(try await installation.json("get", "product", "a") == ["_id": "a", "stock": 1])
            // Another process, which knows it from what is stored.
            let second = try await drain([Self.event(6, "a", 100), Self.event(7, "b", 5)])
            #expect(["applied", "parked", "held"].map { second[$0]?.asInteger } == [1, 0, 1])

            let dropped = try await installation.millrace("dead", "drop", "product@1/product/0@1")
            #expect(dropped.code == 0, "\(dropped.errors)")
            // Up to the next event that cannot be taken.
            #expect(try await installation.json("get", "product", "a") == ["_id": "a", "stock": 11])
            #expect(try await installation.millrace("dead", "drop", "product@1/product/0@4").code == 0)
            #expect(try await installation.json("get", "product", "a") == ["_id": "a", "stock": 111])
            let third = try await drain([Self.event(8, "a", 1000)])
            #expect(["applied", "parked", "held"].map { third[$0]?.asInteger } == [1, 0, 0])
            #expect(try await installation.json("get", "product", "a") == ["_id": "a", "stock": 1111])
            #expect(try await installation.json("get", "product", "b") == ["_id": "b", "stock": 10])

            let checkpoint = try #require(try await installation.documents("millrace.checkpoints").first?["totals"]?.asDocument)
            #expect(["logged", "applied", "ignored", "parked", "held"].map { checkpoint[$0]?.asInteger } == [8, 6, 2, 0, 0])
        }
    }
}
