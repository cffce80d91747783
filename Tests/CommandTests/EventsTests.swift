import EventFixtures
import Events
import Testing
import Values

@Suite(.serialized) struct EventsTests {
    @Test func `every element of the log is shown, as what it is`() async throws {
        try await Installation.run { installation in
            let first = EventText("1", "stockAdjusted", key: "a", data: ["delta": 1], occurredAt: "2026-11-20T10:00:00Z")
            let elements = [first.json, first.json, "no json\u{7f}"]
            _ = try await installation.millrace("push", "product", input: elements.joined(separator: "\n"))
            _ = try await installation.json("drain", "--once", code: 1)

            let shown = try await installation.jsonLines("events", "product")
            #expect(shown.map { $0["kind"] } == ["event", "duplicate", "refused"])
            #expect(shown.map { $0["offset"] } == [0, 1, 2])
            #expect(shown.allSatisfy { $0["partition"] == 0 && $0["loggedAt"]?.asString.flatMap { DateTime.parse($0) } != nil })
            let names = ["position", "partition", "offset", "kind", "loggedAt", "eventType", "key", "occurredAt", "eventId", "event"]
            #expect(shown[0].fields.map(\.name) == names)
            let event = ["eventId", "eventType", "key", "occurredAt"].map { shown[0][$0] }
            #expect(event == ["1", "stockAdjusted", "a", "2026-11-20T10:00:00.000Z"])
            #expect(shown[0]["event"].map(JSON.write) == first.json)
            #expect(shown[1]["original"] == 0 && shown[1]["key"] == "a")
            #expect(shown[2]["problem"]?.asString?.isEmpty == false && shown[2]["base64"] == .string(Base64.encode(Array(elements[2].utf8))))

            let text = try await installation.millrace("events", "product")
            let lines = text.output.split(separator: "\n")
            #expect(text.code == 0 && text.errors == "" && lines.count == 3)
            for (line, document) in zip(lines, shown) { #expect(line.hasPrefix("\(document["position"]?.asString ?? "?")  20")) }
            #expect(lines[0].hasSuffix("  \(first.json)"))
            #expect(lines[1].hasSuffix("  duplicate of offset 0"))
        }
    }

    @Test func `pages follow one another without a gap, over chunks and partitions`() async throws {
        try await Installation.run { installation in
            let list = "product: { list: \"\(installation.name):{product}\", partitions: 3, chunk: { events: 4 } }"
            try installation.write("config/millrace.yaml", "version: 1\nstreams: { \(list) }\n")
            let keys = ["a", "b", "c", "d", "e"]
            for round in 0..<3 {
                try await installation.drain(
                    (0..<15).map { EventText("\(round)-\($0)", "stockAdjusted", key: .string(keys[$0 % 5]), data: ["delta": .int32(Int32($0))]) })
            }
            let all = try await installation.jsonLines("events", "product")
            #expect(all.count == 45)
            #expect(Set(all.compactMap { $0["position"]?.asString }).count == 45)

            var paged: [Document] = []
            while let last = try await page(installation, [], after: paged.last, limit: 20) { paged += last }
            #expect(paged == all)

            for key in ["a", "b"] {
                #expect(try await installation.jsonLines("events", "product", "--key", key) == all.filter { $0["key"] == .string(key) })
            }
            var ofKey: [Document] = []
            while let last = try await page(installation, ["--key", "c"], after: ofKey.last, limit: 4) { ofKey += last }
            #expect(ofKey.count == 9 && ofKey == all.filter { $0["key"] == "c" })
            #expect(try await installation.jsonLines("events", "product", "--key", "none").isEmpty)
            #expect(try await installation.jsonLines("events", "product", "--limit", "0").isEmpty)
        }
    }

    /// The events after one; nil at the end.
    private func page(_ installation: Installation, _ arguments: [String], after last: Document?, limit: Int) async throws -> [Document]? {
        let after = last?["position"]?.asString.map { ["--after", $0] } ?? []
        let ended = try await installation.start(["events", "product", "--json", "--limit", "\(limit)"] + arguments + after).ended()
        guard ended.code == 0 else { throw Failure(ended.errors) }
        let lines = try ended.documents()
        guard lines.count <= limit, last.map({ lines.first != $0 }) ?? true else { throw Failure("after \(after) came \(lines)") }
        return lines.isEmpty ? nil : lines
    }

    @Test func `of a log that is empty or new, nothing is shown`() async throws {
        try await Installation.run { installation in
            let ended = try await installation.millrace("events", "product")
            #expect(ended.code == 0 && ended.output == "" && ended.errors == "")
        }
    }

    @Test func `times of logging bound what is shown, and nothing is asked of a place that is not there`() async throws {
        try await Installation.run { installation in
            for id in ["1", "2", "3"] { try await installation.drain([EventText(id, "stockAdjusted", key: "a", data: ["delta": 1])]) }
            let all = try await installation.jsonLines("events", "product")
            let times = all.compactMap { $0["loggedAt"]?.asString }
            #expect(try await installation.jsonLines("events", "product", "--since", times[1]) == Array(all[1...]))
            #expect(try await installation.jsonLines("events", "product", "--until", times[2]) == Array(all[..<2]))
            #expect(try await installation.jsonLines("events", "product", "--since", times[1], "--until", times[2], "--key", "a") == [all[1]])
            #expect(try await installation.jsonLines("events", "product", "--since", "2099-01-01T00:00:00Z").isEmpty)
            #expect(try await installation.millrace("events", "product", "--since", "yesterday").code == 65)

            let last = try #require(all[2]["position"]?.asString)
            #expect(try await installation.jsonLines("events", "product", "--after", last).isEmpty)
            let beyond = try await installation.millrace("events", "product", "--after", last.replacing("@2", with: "@3"))
            #expect(beyond.code == 65 && beyond.errors.contains("/product/0@3 is beyond the log's end 3"), "\(beyond.errors)")
            for wrong in [["--after", last, "--after", last], ["--follow", "--until", times[0]], ["--limit", "-1"]] {
                #expect(try await installation.start(["events", "product"] + wrong).ended().code == 64)
            }
        }
    }
}
