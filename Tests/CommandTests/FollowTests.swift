import EventFixtures
import Foundation
import Testing
import Values

/// `events --follow`.
@Suite(.serialized) struct FollowTests {
    private static func events(_ ids: Range<Int>) -> [EventText] {
        ids.map { EventText("\($0)", "stockAdjusted", key: .string("key-\($0 % 7)"), data: ["delta": 1]) }
    }

    private static func positions(_ lines: [Document]) -> [String] { lines.compactMap { $0["position"]?.asString } }

    /// The whole lines that a follower has printed.
    private static func lines(_ follower: Child) throws -> [Document] {
        let output = follower.output
        let end = output.lastIndex(of: "\n") ?? output.startIndex
        return try Child.Ended(code: 0, output: String(output[..<end]), errors: "").documents()
    }

    @Test func `new events come as they are logged, and a follower goes on where another stopped`() async throws {
        try await Installation.run(partitions: 2) { installation in
            // Before there is anything to follow.
            let first = try installation.start(["events", "product", "--follow", "--json"])
            try await installation.drain(Self.events(0..<20))
            _ = try await eventually("what is there is shown") { try Self.lines(first).count == 20 ? true : nil }
            try await installation.drain(Self.events(20..<40))
            _ = try await eventually("what comes is shown") { try Self.lines(first).count == 40 ? true : nil }
            first.send(15)
            let ended = try await first.ended(within: .seconds(10))
            #expect(ended.code == 0 && ended.errors == "", "\(ended.errors)")
            let seen = try ended.documents()

            // The last line of each partition is where it goes on.
            var last: [Int64: String] = [:]
            for line in seen { last[line["partition"]?.asInteger ?? -1] = line["position"]?.asString }
            let after = last.values.flatMap { ["--after", $0] }
            #expect(last.count == 2)
            try await installation.drain(Self.events(40..<60))
            let second = try await installation.start(["events", "product", "--follow", "--json", "--limit", "20"] + after).ended(within: .seconds(20))
            #expect(second.code == 0)
            let all = Self.positions(try await installation.jsonLines("events", "product"))
            let both = Self.positions(seen + (try second.documents()))
            #expect(both.sorted() == all.sorted() && all.count == 60)
        }
    }

    @Test func `a key alone, and from a time on`() async throws {
        try await Installation.run { installation in
            try await installation.drain(Self.events(0..<10))
            let before = try await installation.jsonLines("events", "product")
            let follower = try installation.start(["events", "product", "--follow", "--json", "--key", "key-3"])
            let late = try installation.start(["events", "product", "--follow", "--json", "--since", "2099-01-01T00:00:00Z"])
            _ = try await eventually("the key's events are shown") { try Self.lines(follower).count == 1 ? true : nil }
            for round in 1...3 { try await installation.drain(Self.events(round * 7 + 3..<round * 7 + 10)) }
            _ = try await eventually("the key's new events are shown") { try Self.lines(follower).count == 4 ? true : nil }
            _ = try await eventually("new events are shown") { try Self.lines(late).count == 21 ? true : nil }
            for child in [follower, late] {
                child.send(2)
                #expect(try await child.ended(within: .seconds(10)).code == 0)
            }
            let all = try await installation.jsonLines("events", "product")
            #expect(try Self.lines(follower) == all.filter { $0["key"] == "key-3" })
            #expect(try Self.lines(late) == Array(all[before.count...]))
        }
    }

    @Test func `it ends when nobody reads it any more, also when nothing comes`() async throws {
        try await Installation.run { installation in
            try await installation.drain(Self.events(0..<3))
            let script = "\"$0\" events product --follow | head -n 3 | wc -l; echo \"${PIPESTATUS[0]}\""
            let ended = try await installation.start(program: "bash", ["-c", script, Installation.program]).ended(within: .seconds(20))
            #expect(ended.output == "3\n141\n" && ended.errors == "", "\(ended.output) \(ended.errors)")
        }
    }

    @Test func `a stop ends it also when its output is full`() async throws {
        try await Installation.run { installation in
            try await installation.drain(Self.events(0..<3000))
            // Nobody reads the pipe until the follower is gone.
            let script = "mkfifo pipe; exec 3<>pipe; \"$0\" events product --follow --json >pipe & sleep 2; kill -TERM $!; wait $!; echo $?"
            let ended = try await installation.start(program: "bash", ["-c", script, Installation.program]).ended(within: .seconds(20))
            #expect(ended.output == "0\n", "\(ended.output) \(ended.errors)")
        }
    }
}
