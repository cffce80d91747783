import EventFixtures
import Foundation
import Testing
import Values

/// `prune`, and what those say who meet what is gone.
@Suite(.serialized) struct PruneTests {
    private static func event(_ id: Int) -> EventText {
        EventText("\(id)", "stockAdjusted", key: .string("key-\(id % 7)"), data: ["delta": 1])
    }

    /// Runs `body` with 30 events in chunks of five, and a window that reaches back one event.
    private func run(_ setting: String = "", _ body: (Installation) async throws -> Void) async throws {
        try await Installation.run { installation in
            let stream = "product: { list: \"\(installation.name):{product}\", chunk: { events: 5 }, dedupe: { events: 1 }\(setting) }"
            try installation.write("config/millrace.yaml", "version: 1\nlease: 1s\nstreams: { \(stream) }\n")
            for round in 0..<3 { try await installation.drain((0..<10).map { Self.event(round * 10 + $0) }) }
            try await body(installation)
        }
    }

    private func prune(_ installation: Installation, _ more: String..., code: Int32 = 0) async throws -> Document {
        let ended = try await installation.start(["prune", "--json", "--accept-no-rebuild"] + more).ended()
        guard ended.code == code else { throw Failure("\(ended.code) \(ended.errors)") }
        return try ended.documents().first?["partitions"]?.asArray?.first?.asDocument ?? [:]
    }

    private func time(_ installation: Installation, of offset: Int) async throws -> String {
        try await installation.jsonLines("events", "product")[offset]["loggedAt"]?.asString ?? ""
    }

    @Test func `what was logged before a time goes, and everybody who needs it says from where on the log is there`() async throws {
        try await run { installation in
            let lines = try await installation.jsonLines("events", "product")
            let documents = try await installation.documents("product@1")
            let status = try await installation.json("status")
            let until = try await time(installation, of: 20)

            // What a reconcile would begin from is not there yet.
            let early = try await prune(installation, "--before", until)
            #expect(early.number("start") == 0 && early["heldBackBy"] == "product, which has no snapshot: millrace snapshot makes one")
            #expect(try await installation.millrace("snapshot").code == 0)
            let declined = try await installation.millrace("prune", "--before", until)
            #expect(declined.code == 2 && declined.errors.contains("--accept-no-rebuild"), "\(declined.errors)")
            #expect(try await prune(installation, "--before", until, "--dry-run").number("start") == 20)
            #expect(try await installation.jsonLines("events", "product") == lines)

            let outcome = try await prune(installation, "--before", until)
            #expect(["before", "start", "chunks", "elements"].map { outcome.number($0) } == [0, 20, 4, 20] && outcome["heldBackBy"] == .null)
            #expect(try await prune(installation, "--before", until).number("elements") == 0)
            let run = try #require(try await installation.documents("millrace.runs", ["kind": "prune"]).first)
            #expect(run["owner"] != nil)

            let shown = try await installation.millrace("events", "product", "--json")
            #expect(shown.code == 0 && shown.errors.contains("begins at offset 20: what was before was pruned"), "\(shown.errors)")
            #expect(try shown.documents() == Array(lines[20...]))
            #expect(try await installation.documents("product@1") == documents)
            #expect(try await installation.json("status")["streams"]?.asDocument?["product"]?.number("received") == 30)
            #expect(try await installation.json("status")["models"] == status["models"])

            func refused(_ arguments: String...) async throws {
                let ended = try await installation.start(arguments).ended()
                #expect(
                    ended.code == 78 && ended.errors.contains("log-pruned: the log of product/0 was pruned: it is there from offset 20 on"),
                    "\(arguments): \(ended.errors)")
            }
            let position = try #require(lines[7]["position"]?.asString)
            try await refused("events", "product", "--after", position)
            try await refused("events", "product", "--after", position, "--key", "key-1")
            try await refused("explain", "product", "key-1")
            try await refused("events", "export", "product", "archive")
            let last = try #require(lines[19]["position"]?.asString)
            #expect(try await installation.jsonLines("events", "product", "--after", last) == Array(lines[20...]))
            #expect(try await installation.millrace("events", "export", "product", "archive-2", "--after", last).code == 0)
            // A new name begins where the log does.
            let follower = try await installation.start(["events", "product", "--follow", "--as", "late", "--limit", "10", "--json"]).ended()
            #expect(try follower.documents() == Array(lines[20...]))

            // Whether the documents are right can be said still.
            try await installation.command([
                "update": "product@1", "updates": [["q": ["_id": "key-1"], "u": ["$set": ["stock": 100]]]], "writeConcern": ["w": "majority"],
            ])
            #expect(try await installation.millrace("reconcile", "--repair").code == 1)
            #expect(try await installation.documents("product@1") == documents)

            // The drain goes on, with the last id in its window.
            try await installation.drain([Self.event(29), Self.event(30)])
            #expect(try await installation.jsonLines("events", "product", "--after", last).suffix(2).map { $0["kind"] } == ["duplicate", "event"])
        }
    }

    @Test func `the last chunk, checkpoints, followers and the dedupe window hold it back`() async throws {
        try await run { installation in
            let late = "2099-01-01T00:00:00Z"
            let second = Installation.model.replacing("model: product", with: "model: second")
            #expect(try await installation.millrace("events", "followers", "reset", "product", "slow", "--start").code == 0)
            let follower = try await prune(installation, "--before", late)
            #expect(follower.number("start") == 0 && follower["heldBackBy"] == "who follows as slow")
            #expect(try await installation.millrace("events", "followers", "forget", "product", "slow").code == 0)

            let unsaved = try await prune(installation, "--before", late)
            #expect(unsaved.number("start") == 0 && unsaved["heldBackBy"]?.asString?.hasPrefix("product, which has no snapshot") == true)
            #expect(try await installation.millrace("snapshot").code == 0)

            let command: Document = ["update": "millrace.checkpoints", "updates": [["q": [:], "u": ["$set": ["offset": .int64(12)]]]]]
            try await installation.command(command)
            let behind = try await prune(installation, "--before", late)
            #expect(behind.number("start") == 10 && behind["heldBackBy"] == "the checkpoint of product@1")
            try await installation.command(["update": "millrace.checkpoints", "updates": [["q": [:], "u": ["$set": ["offset": .int64(30)]]]]])

            let all = try await prune(installation, "--before", late)
            #expect(all.number("start") == 25 && all["heldBackBy"]?.asString?.hasPrefix("the ") == true, "\(all)")
            #expect(try await installation.jsonLines("events", "product").count == 5)
            // A model that comes now has no history to be built from.
            try installation.write("config/models/second.yaml", second)
            let started = try installation.start(["drain", "--once"])
            _ = try await eventually(within: .seconds(30), "it says so") { started.errors.contains("log-pruned") ? true : nil }
        }
    }

    @Test(arguments: ["prune-declared:1", "chunks-pruned:1"])
    func `a prune that was killed is finished by the next one`(point: String) async throws {
        try await run { installation in
            #expect(try await installation.millrace("snapshot").code == 0)
            let until = try await time(installation, of: 20)
            let killed = try await installation.millrace(
                "prune", "--accept-no-rebuild", "--before", until, environment: ["MILLRACE_CRASH_AT": point])
            #expect(killed.code == 137)
            let lines = try await installation.jsonLines("events", "product")
            #expect(lines.compactMap { $0["offset"]?.asInteger } == Array(20..<30))
            let next = try await eventually("the dead one's lease has run out") { try? await prune(installation, "--before", until) }
            #expect(next.number("start") == 20)
            let stored = try await installation.documents("millrace.log")
            #expect(stored.count == 6 && stored.filter { $0["pruned"] != nil && $0["raw"] == nil }.count == 4)
            try await installation.drain([Self.event(30)])
        }
    }

    @Test(arguments: [nil, "chunks-merged:1"])
    func `small chunks become one, and everything is told as before`(point: String?) async throws {
        try await run { installation in
            let lines = try await installation.jsonLines("events", "product")
            let place = try #require(lines[17]["position"]?.asString)
            func told() async throws -> [Document] {
                let past = try await installation.json("get", "product", "key-3", "--position", place)
                let explained = try await installation.json("explain", "product", "key-3")
                let at = try await installation.json("get", "product", "key-2", "--at", try await time(installation, of: 12))
                return [past, at, explained] + (try await installation.jsonLines("events", "product", "--key", "key-4", "--after", place))
            }
            let before = try await told()
            let documents = try await installation.documents("product@1")

            let stream = "product: { list: \"\(installation.name):{product}\", chunk: { events: 100 }, dedupe: { events: 1 } }"
            try installation.write("config/millrace.yaml", "version: 1\nlease: 1s\nstreams: { \(stream) }\n")
            if let point {
                #expect(try await installation.millrace("prune", "--accept-no-rebuild", environment: ["MILLRACE_CRASH_AT": point]).code == 137)
            }
            let outcome = try await eventually("a dead one's lease has run out") { try? await prune(installation) }
            #expect(outcome.number("merged") == (point == nil ? 4 : 0) && outcome.number("elements") == 0)
            let stored = try await installation.documents("millrace.log")
            #expect(stored.filter { $0["into"]?.asInteger == 0 && $0["raw"] == nil }.count == 4 && stored.count == 6)

            #expect(try await installation.jsonLines("events", "product") == lines)
            #expect(try await told() == before)
            #expect(try await installation.millrace("reconcile").code == 0)
            #expect(try await installation.millrace("rebuild", "product").code == 0)
            #expect(try await installation.documents("product@2") == documents)
            #expect(try await installation.millrace("reconcile").code == 0)

            // A window that reaches back further finds the ids in it.
            try installation.write("config/millrace.yaml", "version: 1\nlease: 1s\nstreams: { product: { list: \"\(installation.name):{product}\" } }\n")
            try await installation.drain([Self.event(7), Self.event(30)])
            #expect(try await installation.jsonLines("events", "product").suffix(2).map { $0["kind"] } == ["duplicate", "event"])

            #expect(try await installation.millrace("erase", "product", "key-5").code == 0)
            #expect(try await installation.jsonLines("events", "product", "--key", "key-5").isEmpty)
            #expect(try await installation.documents("millrace.log", ["keys": "key-5"]).isEmpty)
            #expect(try await installation.millrace("reconcile").code == 0)
            #expect(try await installation.jsonLines("events", "product").filter { $0["key"] == "key-4" } == lines.filter { $0["key"] == "key-4" })
        }
    }

    @Test func `without a time and a setting nothing goes, and a setting gives the time`() async throws {
        try await run(", log: { retain: forever }") { installation in
            let nothing = try await installation.millrace("prune", "--accept-no-rebuild")
            #expect(nothing.code == 0, "\(nothing.errors)")
            #expect(try await prune(installation).number("start") == 0)
        }
        try await run(", log: { retain: 1h }") { installation in
            let outcome = try await prune(installation)
            #expect(outcome.number("start") == 0 && outcome["heldBackBy"] == .null)
        }
        try await run { installation in
            try installation.write("config/millrace.yaml", "version: 1\nstreams: { product: { log: { retain: 3s } } }\n")
            let check = try await installation.millrace("check")
            #expect(check.code == 78 && check.errors.contains("retain: must be a duration from 1m"), "\(check.output) \(check.errors)")
        }
    }
}
