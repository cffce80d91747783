import EventFixtures
import Fixtures
import Foundation
import Testing
import Values

@Suite(.serialized) struct DeadManyTests {
    /// 1,000,000 with MILLRACE_LONG.
    private static let count = ProcessInfo.processInfo.environment["MILLRACE_LONG"] == nil ? 30_000 : 1_000_000

    @Test func `many letters are listed page by page, and a page reads no more than it shows`() async throws {
        try await Installation.run { installation in
            try await installation.drain([EventText("1", "stockAdjusted", key: "a", data: ["delta": 1])])
            try await Self.fill(installation)
            try await installation.command(["profile": 2])
            let (first, middle) = (["--all"], ["--after", "product@1/product/0@\(Self.count / 2)"])
            let filters = [
                first, middle, ["--problem", "rare"], ["--type", "rare"], ["--key", "k77"], ["--model", "product"], ["--model", "product"] + middle,
                ["--type", "common", "--problem", "rare"],
            ]
            for filter in filters {
                let ended = try await installation.start(["dead", "list", "--json", "--limit", "50"] + filter).ended()
                let letters = try ended.documents()
                #expect(ended.code == 0 && !letters.isEmpty && letters.count <= 50, "\(filter): \(ended.errors)")
            }
            try await installation.command(["profile": 0])
            let reads = try await installation.documents("system.profile", ["ns": .string("\(installation.name).millrace.dead_letters"), "op": "query"])
            #expect(reads.count >= filters.count)
            for read in reads {
                let examined = [read["docsExamined"]?.asInteger, read["keysExamined"]?.asInteger].compactMap(\.self)
                #expect(examined.allSatisfy { $0 <= 1500 } && read["hasSortStage"] == nil, "\(read["command"].map(JSON.write) ?? "") examined \(examined)")
            }
            let groups = try await installation.json("dead", "list")
            #expect(groups["letters"]?.asInteger == Int64(Self.count))

            // All of them, each once.
            var after: String?
            var seen = 0
            while let page = try await Self.page(installation, after), let last = page.last {
                seen += page.count
                after = last
            }
            #expect(seen == Self.count)
        }
    }

    private static func page(_ installation: Installation, _ after: String?) async throws -> [String]? {
        let ended = try await installation.start(["dead", "list", "--limit", "\(count / 5)"] + (after.map { ["--after", $0] } ?? ["--all"])).ended()
        let ids = ended.output.split(separator: "\n").map { String($0.prefix { $0 != " " }) }
        return ids.isEmpty ? nil : ids
    }

    /// Letters as the projection writes them.
    private static func fill(_ installation: Installation) async throws {
        for start in stride(from: 0, to: count, by: 10_000) {
            let letters = (start..<min(count, start + 10_000)).map { number -> Value in
                let isRare = number % (count / 20) == 7
                return [
                    "_id": ["b": "product@1", "s": "product", "p": .int32(0), "o": .int64(Int64(number))], "format": 1,
                    "problem": isRare ? "rare" : "missing-value", "message": "a message as long as those that people read",
                    "key": .string("k\(number % (count / 25))"), "type": number % (count / 20) == 3 ? "rare" : "common", "at": .date(1_700_000_000_000),
                ]
            }
            try await installation.command(["insert": "millrace.dead_letters", "documents": .array(letters), "writeConcern": ["w": "majority"]])
        }
    }
}
