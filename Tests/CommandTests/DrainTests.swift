import EventFixtures
import Testing
import Values

/// `drain --once`: the receipt, and what the exit code says of it.
@Suite(.serialized) struct DrainTests {
    private static let names = [
        "behindBefore", "applied", "ignored", "parked", "held", "behindAfter", "inserted", "updated", "deleted", "unchanged", "drift",
    ]

    /// The members that a receipt has at least, and the sums that must agree, of one stream.
    private func check(_ receipt: Document) throws {
        #expect(Set(["received", "logged", "duplicates", "undecodable", "seconds", "models"]).isSubset(of: receipt.fields.map(\.name)))
        func number(_ name: String) throws -> Int64 { try #require(receipt[name]?.asInteger) }
        #expect(try number("received") == number("logged") + number("duplicates"))
        guard case .double(let seconds)? = receipt["seconds"] else { throw Failure("seconds is \(receipt["seconds"].map(JSON.write) ?? "missing")") }
        #expect(seconds > 0 && seconds < 60)
        for model in try #require(receipt["models"]?.asDocument).fields {
            #expect(Set(Self.names).isSubset(of: model.value.asDocument?.fields.map(\.name) ?? []), "\(model)")
            func sum(_ names: [String]) -> Int64 { names.reduce(0) { $0 + (model.value.number($1) ?? .min) } }
            #expect(try sum(["behindBefore"]) + number("logged") == sum(["applied", "ignored", "parked", "held", "behindAfter"]), "\(model)")
        }
    }

    private func sums(_ receipt: Document, _ model: String) -> [String: Int64] {
        Dictionary(Self.names.map { ($0, receipt["models"]?.asDocument?[model]?.number($0) ?? -1) }, uniquingKeysWith: { $1 }).filter { $0.value != 0 }
    }

    @Test func `a receipt accounts for every element, and a second drain receives nothing`() async throws {
        let counts = """
            version: 1
            model: counts
            stream: product
            fold: { stockAdjusted: { $inc: { events: 1 } }, gone: { $delete: true } }

            """
        try await Installation.run(["config/models/counts.yaml": counts]) { installation in
            let elements = [
                EventText("1", "stockAdjusted", key: "a", data: ["delta": 1]).json,
                EventText("2", "stockAdjusted", key: "b", data: ["delta": 2]).json,
                EventText("3", "productRenamed", key: "a", data: ["name": "A"]).json,
                EventText("2", "stockAdjusted", key: "b", data: ["delta": 2]).json,  // again
                EventText("4", "stockAdjusted", key: "a", data: ["delta": "text"]).json,  // cannot be added
                "no json",
                EventText("5", "gone", key: "b").json,
                EventText("6", "unheardOf", key: "b").json,
            ]
            let pushed = try await installation.json("push", "product", input: elements.map { $0 + "\n" }.joined())
            #expect(pushed == ["pushed": 8, "lists": .document(Document([.init(installation.list(), 8)]))])

            let receipt = try await installation.json("drain", "--once", "product", code: 1)
            try check(receipt)
            #expect([receipt["received"], receipt["logged"], receipt["duplicates"], receipt["undecodable"]] == [8, 7, 1, 1])
            #expect(sums(receipt, "product") == ["applied": 3, "ignored": 2, "parked": 2, "inserted": 2])
            #expect(sums(receipt, "counts") == ["applied": 4, "ignored": 2, "parked": 1, "inserted": 1, "unchanged": 1])
            #expect(try await installation.documents("product", ["_id": "a"]).first?["stock"] == 1)

            let second = try await installation.json("drain", "--once")
            try check(second)
            #expect([second["received"], second["logged"]] == [0, 0])
            #expect(sums(second, "product") == [:] && sums(second, "counts") == [:])
        }
    }

    @Test func `a person reads the same sums, and hears of what was parked on standard error`() async throws {
        try await Installation.run { installation in
            _ = try await installation.millrace("push", "product", input: EventText("1", "stockAdjusted", key: "a", data: ["delta": 1]).json + "\nno json\n")
            let ended = try await installation.millrace("drain", "--once")
            #expect(ended.code == 1)
            #expect(ended.errors.contains("millrace: 1 events were parked: see millrace dead list\n"))
            let lines = ended.output.split(separator: "\n")
            #expect(lines.count == 3, "\(ended.output)")
            #expect(lines[0].hasPrefix("received 2 = logged 2 + duplicates 0 (undecodable 1) in "))
            #expect(lines[1].split(whereSeparator: { $0 == " " }).first == "model")
            #expect(lines[2].split(separator: " ") == ["product", "0", "2", "1", "0", "1", "0", "0", "1", "0", "0", "0"])
        }
    }

    @Test func `a model that is new catches up with the log`() async throws {
        try await Installation.run { installation in
            try await installation.drain((0..<5).map { EventText("\($0)", "stockAdjusted", key: "a", data: ["delta": 1]) })
            try installation.write("config/models/second.yaml", Installation.model.replacing("model: product", with: "model: second"))
            let receipt = try await installation.json("drain", "--once")
            try check(receipt)
            #expect(receipt["received"] == 0)
            #expect(sums(receipt, "second") == ["behindBefore": 5, "applied": 5, "inserted": 1])
            #expect(try await installation.documents("second").first?["stock"] == 5)
        }
    }

    @Test func `named streams are drained, and no other`() async throws {
        try await Installation.run { installation in
            let name = installation.name
            let lists = "product: { list: \"\(name):{product}\" }, category: { list: \"\(name):{category}\" }"
            try installation.write("config/millrace.yaml", "version: 1\nstreams: { \(lists) }\n")
            let category = Installation.model.replacing("model: product", with: "model: category").replacing("stream: product", with: "stream: category")
            try installation.write("config/models/category.yaml", category)
            for stream in ["product", "category"] {
                _ = try await installation.millrace("push", stream, input: EventText("1", "stockAdjusted", key: "a", data: ["delta": 1]).json)
            }
            let receipt = try await installation.json("drain", "--once", "category")
            #expect(receipt["received"] == 1)
            #expect(receipt["models"]?.asDocument?.fields.map(\.name) == ["category"])
            #expect(try await installation.redis("LLEN", "\(name):{product}") == ["1"])
            #expect(try await installation.json("drain", "--once")["received"] == 1)
        }
    }

    @Test func `a receipt is stored with each run`() async throws {
        try await Installation.run { installation in
            try await installation.drain([EventText("1", "stockAdjusted", key: "a", data: ["delta": 1])])
            let run = try #require(try await installation.documents("millrace.runs").first)
            #expect(run["job"] == "drain")
            #expect(run["sums"]?.number("received") == 1)
        }
    }
}
