import EventFixtures
import Testing
import Values

@Suite(.serialized) struct StatusTests {
    private func stream(_ status: Document) throws -> Document { try #require(status["streams"]?.asDocument?["product"]?.asDocument) }
    private func model(_ status: Document) throws -> Document { try #require(status["models"]?.asDocument?["product"]?.asDocument) }

    @Test func `status says what is waiting, how far the model is, and what was parked`() async throws {
        try await Installation.run(partitions: 2) { installation in
            let new = try await installation.json("status")
            #expect(new.fields.map(\.name) == ["streams", "models", "deadLetters"])
            #expect(
                try stream(new).fields.map(\.name) == [
                    "waiting", "inSegment", "oldestSeconds", "oversize", "received", "logged", "duplicates", "undecodable", "unknownTypes",
                ])
            #expect(
                try model(new).fields.map(\.name) == [
                    "lag", "lagSeconds", "documents", "orphans", "build", "applied", "parked", "stopped", "note", "others",
                ])
            #expect(try stream(new)["waiting"] == 0 && stream(new)["oldestSeconds"] == .null)
            #expect(try model(new)["build"] == "-" && model(new)["note"]?.asString?.hasPrefix("new") == true)
            #expect(try await installation.documents("millrace.meta").isEmpty, "looking makes nothing")

            let events = (0..<6).map { number in
                EventText("\(number)", "stockAdjusted", key: .string("key-\(number)"), data: ["delta": 1], occurredAt: "2026-01-01T00:00:00Z").json
            }
            _ = try await installation.millrace("push", "product", input: (events + ["no json"]).map { $0 + "\n" }.joined())
            let waiting = try await installation.json("status")
            #expect(try stream(waiting)["waiting"] == 7)
            guard case .double(let oldest)? = try stream(waiting)["oldestSeconds"] else { throw Failure("oldestSeconds is no number") }
            #expect(oldest > 0)

            _ = try await installation.json("drain", "--once", code: 1)
            let done = try await installation.json("status")
            #expect(try ["waiting", "inSegment", "received", "logged", "duplicates", "undecodable"].map { try stream(done)[$0] } == [0, 0, 7, 7, 0, 1])
            #expect(try ["lag", "documents", "applied", "parked", "build", "note"].map { try model(done)[$0] } == [0, 6, 6, 1, "product@1", ""])
            #expect(try model(done)["lagSeconds"] == .double(0))
            #expect(done["deadLetters"] == 1)
        }
    }

    @Test func `an edited definition is said to need a rebuild, and changes nothing`() async throws {
        try await Installation.run { installation in
            let adjusted = EventText("1", "stockAdjusted", key: "a", data: ["delta": 5])
            try await installation.drain([adjusted])
            #expect(try await installation.json("check")["models"]?.asDocument?["product"]?.asDocument?["state"] == "live")

            // What has no meaning is no edit.
            try installation.write("config/models/product.yaml", "# A comment.\n" + Installation.model.replacing("$inc: {", with: "\"$inc\":   {"))
            #expect(try await installation.json("check")["models"]?.asDocument?["product"]?.asDocument?["state"] == "live")

            try installation.write("config/models/product.yaml", Installation.model.replacing("$inc: { stock: $data.delta }", with: "$inc: { stock: 1000 }"))
            #expect(try await installation.json("check")["models"]?.asDocument?["product"]?.asDocument?["state"] == "rebuild needed")
            let status = try await installation.json("status")
            #expect(try model(status)["note"]?.asString?.hasPrefix("rebuild needed") == true)
            let drained = try await installation.millrace("push", "product", input: EventText("2", "stockAdjusted", key: "a", data: ["delta": 2]).json)
            #expect(drained.code == 0)
            let ended = try await installation.millrace("drain", "--once")
            #expect(ended.code == 0 && ended.errors.contains("rebuild needed"))
            #expect(try await installation.documents("product", ["_id": "a"]).first?["stock"] == 7, "under its build's definition")
        }
    }

    @Test func `a build of another fold version is not projected, and the rest is`() async throws {
        let second = Installation.model.replacing("model: product", with: "model: second")
        try await Installation.run(["config/models/second.yaml": second]) { installation in
            try await installation.drain([EventText("1", "stockAdjusted", key: "a", data: ["delta": 5])])
            try await installation.command([
                "update": "millrace.definitions", "updates": [["q": ["_id": "second"], "u": ["$set": ["builds.0.foldVersion": 99]]]],
                "writeConcern": ["w": "majority"],
            ])
            _ = try await installation.millrace("push", "product", input: EventText("2", "stockAdjusted", key: "a", data: ["delta": 2]).json)
            let ended = try await installation.millrace("drain", "--once", "--json")
            #expect(ended.code == 0 && ended.errors.contains("not projected"), "\(ended.errors)")
            #expect(try await installation.documents("product").first?["stock"] == 7)
            #expect(try await installation.documents("second").first?["stock"] == 5)
            #expect(try await installation.json("status")["models"]?.asDocument?["second"]?.asDocument?["note"]?.asString?.contains("version 99") == true)
            #expect(
                try await installation.json("check")["models"]?.asDocument?["second"]?.asDocument?["state"] == "not projected: folded by version 99")
        }
    }
}
