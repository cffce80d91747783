import EventFixtures
import Testing
import Values

/// Receipts on the command line.
@Suite(.serialized) struct RunsTests {
    @Test func `runs are listed newest first, by filters and page by page, and shown`() async throws {
        try await Installation.run { installation in
            #expect(try await installation.millrace("runs", "list").output == "no runs\n")
            for number in 0..<3 { try await installation.drain([EventText("\(number)", "stockAdjusted", key: "a", data: ["delta": 1])]) }
            // One that parks an event is not good.
            let bad = EventText("bad", "stockAdjusted", key: "a", data: ["delta": "many"]).json
            #expect(try await installation.millrace("push", "product", input: bad + "\n").code == 0)
            #expect(try await installation.millrace("drain", "--once").code == 1)

            let all = try await installation.json("runs", "list")
            let runs = all["runs"]?.asArray?.compactMap(\.asDocument) ?? []
            #expect(runs.map { $0["outcome"]?.asString } == ["not-good", "good", "good", "good"] && all["next"] == .null)
            #expect(runs.allSatisfy { $0["job"] == "drain" && $0["kind"] == "drain" && $0["sums"]?.number("received") == 1 })
            let ids = runs.compactMap { $0["id"]?.asString }

            let page = try await installation.json("runs", "list", "--outcome", "good", "--limit", "2")
            #expect(page["runs"]?.asArray?.compactMap { $0.asDocument?["id"]?.asString } == Array(ids[1...2]) && page["next"] == .string(ids[2]))
            let rest = try await installation.json("runs", "list", "--outcome", "good", "--after", ids[2])
            #expect(rest["runs"]?.asArray?.compactMap { $0.asDocument?["id"]?.asString } == [ids[3]] && rest["next"] == .null)
            #expect(try await installation.json("runs", "list", "--kind", "rebuild")["runs"] == [])
            #expect(try await installation.json("runs", "list", "--job", "nightly")["runs"] == [])
            #expect(try await installation.json("runs", "list", "--since", "2100-01-01T00:00:00Z")["runs"] == [])

            #expect(try await installation.json("runs", "show", ids[0]) == runs[0])
            let lines = try await installation.millrace("runs", "list", "--limit", "1")
            #expect(lines.output.hasPrefix("run ") && lines.output.contains("\(ids[0])  drain") && lines.output.contains("not-good  received 1, logged 1"))
            #expect(lines.errors == "millrace: there are more: --after \(ids[0])\n")

            #expect(try await installation.millrace("runs", "show", "nothing").code == 1)
            for (arguments, code) in [(["--after", "nothing"], 65), (["--since", "noon"], 65), (["--limit", "0"], 64), (["--kind", "drian"], 64)] {
                #expect(try await installation.start(["runs", "list"] + arguments).ended().code == Int32(code), "\(arguments)")
            }
        }
    }

    @Test func `the service removes what was kept long enough`() async throws {
        try await Installation.run { installation in
            for id in ["1", "2"] { try await installation.drain([EventText(id, "stockAdjusted", key: "a", data: ["delta": 1])]) }
            // As if both were of last year: the last one is where the next begins, and stays.
            try await installation.command([
                "update": "millrace.runs",
                "updates": [["q": [:], "u": [["$set": ["ended": ["$subtract": ["$ended", .int64(365 * 86_400_000)]]]]], "multi": true]],
                "writeConcern": ["w": "majority"],
            ])
            let service = try installation.start(["run"])
            _ = try await eventually("one is left") { try await installation.documents("millrace.runs").count == 1 ? true : nil }
            service.send(15)
            #expect(try await service.ended().code == 0)
        }
    }
}
