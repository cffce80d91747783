import EventFixtures
import Testing
import Values

@Suite(.serialized) struct PlanTests {
    @Test func `a model is new, unchanged, changed and gone in turn`() async throws {
        try await Installation.run(partitions: 2) { installation in
            let new = try await installation.json("plan", code: 1)
            #expect(
                new == [
                    "models": ["product": ["build": nil, "state": "new", "fold": [], "serve": [], "eventsToFold": 0]], "toDo": true,
                ])
            #expect(try await installation.documents("millrace.meta").isEmpty, "looking makes nothing")

            try await installation.drain((0..<20).map { EventText("e\($0)", "stockAdjusted", key: .string("k\($0)"), data: ["delta": 1]) })
            let unchanged = try await installation.millrace("plan")
            #expect(unchanged.code == 0)
            #expect(
                unchanged.output == """
                    model    build      state      events to fold  what
                    product  product@1  unchanged               0
                    nothing is to be done

                    """)

            try installation.write("config/models/product.yaml", Installation.model.replacing("$inc: { stock: $data.delta }", with: "$inc: { stock: 2 }"))
            try installation.write("config/models/second.yaml", Installation.model.replacing("model: product", with: "model: second"))
            let changed = try await installation.millrace("plan")
            #expect(changed.code == 1)
            #expect(
                changed.output == """
                    model    build      state    events to fold  what
                    product  product@1  changed              20  rebuild: stockAdjusted changed
                    second   -          new                  20  made and folded when a worker starts
                    something is to be done

                    """)

            try installation.write("config/models/product.yaml", Installation.model.replacing("model: product", with: "model: other"))
            let gone = try await installation.json("plan", code: 1)
            #expect(gone["models"]?.asDocument?["product"]?.asDocument?["state"] == "gone", "\(gone)")
        }
    }

    @Test func `without servers there is no plan`() async throws {
        try await Installation.run { installation in
            let ended = try await installation.millrace("plan", environment: ["MILLRACE_MONGODB_URL": "mongodb://127.0.0.1:1/?replicaSet=rs0"])
            #expect(ended.code == 69 && ended.output == "")
        }
    }
}
