import EventFixtures
import Foundation
import Testing
import Values

/// Followers that share a name: each event is delivered to one of them, and acknowledged.
@Suite(.serialized) struct FollowersTests {
    private static func events(_ ids: Range<Int>) -> [EventText] {
        ids.map { EventText("\($0)", "stockAdjusted", key: .string("key-\($0 % 7)"), data: ["delta": 1]) }
    }

    /// The offsets of the whole lines that a follower has printed.
    private static func offsets(_ follower: Child) throws -> [Int64] {
        let output = follower.output
        let end = output.lastIndex(of: "\n") ?? output.startIndex
        return try Child.Ended(code: 0, output: String(output[..<end]), errors: "").documents().compactMap { $0["offset"]?.asInteger }
    }

    private func follower(_ installation: Installation, _ more: [String] = [], crash: String? = nil) throws -> Child {
        let environment = crash.map { ["MILLRACE_CRASH_AT": $0] } ?? [:]
        return try installation.start(
            ["events", "product", "--follow", "--as", "mailer", "--batch", "10", "--json"] + more, environment: environment)
    }

    /// How far the name is: acknowledged, handed out, behind.
    private func progress(_ installation: Installation) async throws -> [Int64?] {
        let document = try await installation.json("events", "followers", "list", "product")
        let mailer = document["followers"]?.asArray?.compactMap(\.asDocument).first { $0["name"] == "mailer" }
        return ["acknowledged", "handedOut", "behind"].map { mailer?[$0]?.asInteger }
    }

    private func expectAcknowledged(_ installation: Installation, _ count: Int64) async throws {
        _ = try await eventually(within: .seconds(30), "everything is acknowledged") { try await progress(installation) == [count, count, 0] ? true : nil }
    }

    @Test func `they share the work, and each event goes to one of them`() async throws {
        try await Installation.run(lease: "2s") { installation in
            try await installation.drain(Self.events(0..<200))
            let crew = try (0..<3).map { _ in try follower(installation) }
            for round in 1...5 { try await installation.drain(Self.events(round * 200..<round * 200 + 200)) }
            try await expectAcknowledged(installation, 1200)
            for child in crew {
                child.send(15)
                let ended = try await child.ended(within: .seconds(10))
                #expect(ended.code == 0 && ended.errors == "", "\(ended.errors)")
            }
            let shares = try crew.map { try Self.offsets($0) }
            #expect(shares.flatMap(\.self).sorted() == Array(0..<1200))
            #expect(shares.allSatisfy { !$0.isEmpty }, "\(shares.map(\.count))")
            // Another name has everything to itself.
            let other = try await installation.start(["events", "product", "--follow", "--as", "audit", "--limit", "1200", "--json"]).ended()
            #expect(try other.documents().count == 1200)
        }
    }

    /// What is delivered again is what was not acknowledged, and nothing else.
    @Test(arguments: [("part-claimed:2", 10, 0), ("part-taken:2", 20, 10), ("part-acknowledged:2", 20, 0)])
    func `after a death, another one gets what was not acknowledged`(point: String, printed: Int, again: Int) async throws {
        try await Installation.run(lease: "1s") { installation in
            try await installation.drain(Self.events(0..<60))
            let dead = try follower(installation, crash: point)
            #expect(try await dead.ended().code == 137)
            let next = try follower(installation)
            try await expectAcknowledged(installation, 60)
            next.send(15)
            #expect(try await next.ended().code == 0)
            let (first, second) = (try Self.offsets(dead), try Self.offsets(next))
            #expect(first.count == printed)
            #expect(Set(first + second) == Set(0..<60))
            #expect(Set(first).intersection(second).count == again && second.count == 60 - printed + again)
        }
    }

    @Test func `one that stands still for longer than its lease loses its part, and says so`() async throws {
        try await Installation.run(lease: "1s") { installation in
            try await installation.drain(Self.events(0..<20))
            let frozen = try installation.start(
                ["events", "product", "--follow", "--as", "mailer", "--batch", "10", "--json"], environment: ["MILLRACE_FREEZE_AT": "part-claimed:1"])
            _ = try await eventually("it stands still") { frozen.isFrozen ? true : nil }
            let next = try follower(installation)
            try await expectAcknowledged(installation, 20)
            #expect(try Self.offsets(next).sorted() == Array(0..<20))
            frozen.send(18)
            _ = try await eventually("it has noticed") { frozen.errors.contains("taken from this follower before its acknowledgement") ? true : nil }
            for child in [frozen, next] {
                child.send(15)
                #expect(try await child.ended().code == 0)
            }
            #expect(try await progress(installation) == [20, 20, 0])
        }
    }

    @Test func `a reader that goes away has not taken what is still in the pipe`() async throws {
        try await Installation.run(lease: "1s") { installation in
            try await installation.drain(Self.events(0..<60))
            // The reader takes nothing at all.
            let script = "\"$0\" events product --follow --as mailer --batch 10 --json | sleep 1; echo \"${PIPESTATUS[0]}\""
            let ended = try await installation.start(program: "bash", ["-c", script, Installation.program]).ended(within: .seconds(20))
            #expect(ended.output == "141\n", "\(ended.output) \(ended.errors)")
            #expect(try await progress(installation) == [0, 10, 60])
            let next = try await follower(installation, ["--limit", "60"]).ended()
            #expect(next.code == 0)
            #expect(try next.documents().compactMap { $0["offset"]?.asInteger }.sorted() == Array(0..<60))
        }
    }

    @Test func `names are listed, reset and forgotten`() async throws {
        try await Installation.run { installation in
            #expect(try await installation.millrace("events", "followers", "list", "product").output == "nobody follows product by a name\n")
            try await installation.drain(Self.events(0..<20))
            #expect(try await follower(installation, ["--limit", "20"]).ended().code == 0)
            let lines = try await installation.jsonLines("events", "product")
            let position = try #require(lines[14]["position"]?.asString)
            let reset = try await installation.millrace("events", "followers", "reset", "product", "mailer", "--after", position)
            #expect(reset.code == 0 && reset.output == "mailer goes on at product/0@15\n", "\(reset.errors)")
            let again = try await follower(installation, ["--limit", "5"]).ended()
            #expect(try again.documents() == Array(lines[15...]))
            #expect(try await installation.millrace("events", "followers", "reset", "product", "new", "--end").code == 0)
            let table = try await installation.millrace("events", "followers", "list", "product").output
            #expect(
                table.split(separator: "\n").map { $0.split(separator: " ").prefix(5).joined(separator: " ") }
                    == ["name partition acknowledged handed out", "mailer product/0 20 20 0", "new product/0 20 20 0"], "\(table)")
            #expect(try await installation.millrace("events", "followers", "forget", "product", "mailer").code == 0)
            #expect(try await installation.millrace("events", "followers", "forget", "product", "mailer").code == 1)
            for wrong in [["--start", "--end"], [], ["--after", position, "--start"]] {
                #expect(try await installation.start(["events", "followers", "reset", "product", "mailer"] + wrong).ended().code == 64)
            }
            for wrong in [["--key", "a"], ["--after", position], ["--batch", "0"]] {
                #expect(try await installation.start(["events", "product", "--follow", "--as", "mailer"] + wrong).ended().code == 64)
            }
        }
    }
}
