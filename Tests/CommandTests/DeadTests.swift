import EventFixtures
import Fixtures
import Testing
import Values

@Suite(.serialized) struct DeadTests {
    /// Six letters of two models, and an element that is no event.
    private static func fill(_ installation: Installation) async throws {
        let second = Installation.model.replacing("model: product", with: "model: second").replacing("productRenamed", with: "somethingElse")
        try installation.write("config/models/second.yaml", second)
        let events = [
            EventText("1", "stockAdjusted", key: "a", data: ["delta": 1]), EventText("2", "stockAdjusted", key: "a", data: ["delta": "x"]),
            EventText("3", "productRenamed", key: "b"), EventText("4", "stockAdjusted", key: "c"),
        ]
        _ = try await installation.millrace("push", "product", input: (events.map(\.json) + ["no json"]).joined(separator: "\n"))
        _ = try await installation.json("drain", "--once", code: 1)
    }

    private static let ids = [
        "product@1/product/0@1", "second@1/product/0@1", "product@1/product/0@2", "product@1/product/0@3", "second@1/product/0@3", "product/0@4",
    ]

    @Test func `letters are grouped by problem, and filters give the letters themselves`() async throws {
        try await Installation.run { installation in
            #expect(try await installation.millrace("dead", "list").output == "no dead letters\n")
            try await Self.fill(installation)
            let groups = try await installation.json("dead", "list")
            #expect(groups["letters"] == 6)
            let rows = groups["groups"]?.asArray?.compactMap(\.asDocument) ?? []
            #expect(rows.map { $0["problem"] } == ["missing-value", "bad-json", "bad-operand", "bad-operand", "missing-value"])
            #expect(rows.map { $0["letters"] } == [2, 1, 1, 1, 1])
            #expect(rows.first?["first"] == "product@1/product/0@2" && rows.first?["last"] == "product@1/product/0@3")
            #expect(rows.first?["example"]?.asDocument?["eventType"] == "productRenamed")

            func list(_ arguments: String...) async throws -> [String] {
                let ended = try await installation.start(["dead", "list", "--json"] + arguments).ended()
                #expect(ended.code == 0, "\(arguments): \(ended.errors)")
                return try ended.documents().compactMap { $0["id"]?.asString }
            }
            #expect(try await list("--all") == Self.ids)
            #expect(try await list("--model", "second") == [Self.ids[1], Self.ids[4]])
            #expect(try await list("--problem", "bad-operand") == [Self.ids[0], Self.ids[1]])
            #expect(try await list("--type", "productRenamed") == [Self.ids[2]])
            #expect(try await list("--key", "c", "--model", "product") == [Self.ids[3]])
            #expect(try await list("--stream", "product", "--problem", "bad-json") == [Self.ids[5]])
            #expect(try await list("--until", "2026-01-01T00:00:00Z").isEmpty)
            #expect(try await list("--since", "2026-01-01T00:00:00Z") == Self.ids)
            #expect(try await list("--dropped").isEmpty)
            var pages: [[String]] = [[]]
            while let last = pages.last, pages.count < 9, last.count == (pages.count == 1 ? 0 : 2) {
                let after = last.last.map { ["--after", $0] } ?? ["--all"]
                let ended = try await installation.start(["dead", "list", "--json", "--limit", "2"] + after).ended()
                pages.append(try ended.documents().compactMap { $0["id"]?.asString })
            }
            #expect(pages.flatMap(\.self) == Self.ids)

            let text = try await installation.millrace("dead", "list", "--all")
            #expect(text.output.split(separator: "\n").map { $0.prefix { $0 != " " } } == Self.ids.map { $0[...] })
        }
    }

    /// Of letters logged at different times, those of a stretch of time.
    @Test func `a time is found in the log`() async throws {
        try await Installation.run { installation in
            for number in 0..<5 {
                _ = try await installation.millrace("push", "product", input: EventText("\(number)", "stockAdjusted", key: "a").json)
                _ = try await installation.json("drain", "--once", code: 1)
            }
            let letters = try await installation.jsonLines("dead", "list", "--all")
            let times = letters.compactMap { $0["loggedAt"]?.asString }
            guard letters.count == 5, times.count == 5 else { throw Failure("\(letters)") }
            #expect(try await installation.jsonLines("dead", "list", "--since", times[1], "--until", times[3]) == Array(letters[1..<3]))
            #expect(try await installation.jsonLines("dead", "list", "--until", times[0]).isEmpty)
        }
    }

    @Test func `a letter is shown with its event, and exported as it was pushed`() async throws {
        try await Installation.run { installation in
            try await Self.fill(installation)
            let shown = try await installation.json("dead", "show", Self.ids[2])
            #expect(shown["problem"] == "missing-value" && shown["event"]?.asDocument?["eventId"] == "3" && shown["decision"] == .null)
            #expect(try await installation.json("dead", "show", "product/0@4")["base64"] == .string(Base64.encode(Array("no json".utf8))))
            let missing = try await installation.millrace("dead", "show", "product@1/product/0@0")
            #expect(missing.code == 1 && missing.errors.contains("no-such-letter"))
            #expect(try await installation.millrace("dead", "show", "product").code == 65)

            let exported = try await installation.millrace("dead", "export")
            let events = [
                EventText("2", "stockAdjusted", key: "a", data: ["delta": "x"]).json, EventText("3", "productRenamed", key: "b").json,
                EventText("4", "stockAdjusted", key: "c").json, "no json",
            ]
            #expect(exported.output.split(separator: "\n").map(String.init) == events, "each once, though two models have parked it")
            #expect(try await installation.millrace("dead", "export", "--model", "second", "--key", "c").output == events[2] + "\n")
            #expect(try await installation.millrace("dead", "export", Self.ids[4], Self.ids[0]).output == "\(events[0])\n\(events[2])\n")
        }
    }

    @Test func `a drop is kept by every fold, and can be taken back`() async throws {
        try await Installation.run { installation in
            try await Self.fill(installation)
            func counts() async throws -> [Int64?] {
                let models = try await installation.json("status")["models"]?.asDocument
                return [models?["product"]?.number("parked"), models?["second"]?.number("parked")]
            }
            #expect(try await counts() == [4, 3])
            let declined = try await installation.millrace("dead", "drop", "--problem", "missing-value", "--expect", "2")
            #expect(declined.code == 2 && declined.errors.contains("there are 3 such letters, not 2"))
            let dry = try await installation.json("dead", "drop", "--problem", "missing-value", "--dry-run")
            #expect(dry["letters"] == 3 && dry["dryRun"] == true)
            #expect(try await installation.json("status")["deadLetters"] == 6)

            #expect(try await installation.json("dead", "drop", "--problem", "missing-value", "--expect", "3")["settled"] == 3)
            #expect(try await installation.json("dead", "drop", "product/0@4")["settled"] == 1)
            #expect(try await installation.json("status")["deadLetters"] == 2)
            #expect(try await counts() == [1, 1], "an element that is no event was parked in both models")
            #expect(try await installation.jsonLines("dead", "list", "--dropped").compactMap { $0["id"]?.asString } == Array(Self.ids[2...]))
            #expect(try await installation.json("dead", "drop", "--all")["letters"] == 2)

            // Folded again from the log, the events stay ignored.
            try await installation.command(["delete": "millrace.checkpoints", "deletes": [["q": [:], "limit": 0]], "writeConcern": ["w": "majority"]])
            let again = try await installation.json("drain", "--once")
            #expect(again["models"]?.asDocument?["product"]?.number("ignored") == 4 && again["models"]?.asDocument?["product"]?.number("parked") == 0)
            #expect(try await installation.json("status")["deadLetters"] == 0)

            let restored = try await installation.json("dead", "restore", "--all", "--expect", "6")
            #expect(restored["parked"] == 6)
            #expect(try await counts() == [4, 3])
            #expect(try await installation.jsonLines("dead", "list", "--all").compactMap { $0["id"]?.asString } == Self.ids)
            #expect(try await installation.json("dead", "restore", "--all")["letters"] == 0, "nothing is dropped any more")
        }
    }

    @Test func `a retry says why nothing has changed`() async throws {
        try await Installation.run { installation in
            try await Self.fill(installation)
            let ended = try await installation.millrace("dead", "retry", "--all", "--json")
            let outcome = try #require(ended.documents().first)
            #expect(ended.code == 1 && outcome["parked"] == 6 && outcome["unchanged"] == 5 && outcome["undecodable"] == 1 && outcome["documents"] == 0)
            #expect(ended.errors.contains("millrace rebuild") && ended.errors.contains("dead export"))
            let generations = try await installation.documents("millrace.checkpoints").map { $0["generation"]?.asInteger }
            #expect(generations == [0, 0], "nothing was written")
        }
    }

    @Test func `actions want to be told which letters`() async throws {
        try await Installation.run { installation in
            try await Self.fill(installation)
            for action in ["retry", "drop", "restore"] {
                #expect(try await installation.millrace("dead", action).code == 64)
                #expect(try await installation.millrace("dead", action, Self.ids[0], "--all").code == 64)
                #expect(try await installation.millrace("dead", action, "nonsense").code == 65)
                #expect(try await installation.millrace("dead", action, "--model", "produkt").code == 64)
                #expect(try await installation.millrace("dead", action, "--since", "yesterday").code == 65)
                #expect(try await installation.millrace("dead", action, "product@1/product/0@0").code == 1, "there is no such letter")
            }
            #expect(try await installation.jsonLines("dead", "list", "--all").count == 6)
        }
    }
}
