import EventFixtures
import Foundation
import Testing
import Values

@Suite(.serialized) struct RebuildTests {
    private static let events = (0..<300).map { EventText("e\($0)", "stockAdjusted", key: .string("k\($0 % 40)"), data: ["delta": 1]) }

    private func pointer(_ installation: Installation) async throws -> Document {
        guard let found = try await installation.documents("millrace.definitions").first else { throw Failure("there is no pointer document") }
        return found
    }

    private func builds(_ installation: Installation) async throws -> [String: String] {
        let builds = try await pointer(installation)["builds"]?.asArray?.compactMap(\.asDocument) ?? []
        return Dictionary(builds.map { ($0["build"]?.asString ?? "", $0["state"]?.asString ?? "") }, uniquingKeysWith: { $1 })
    }

    /// Nothing is left of a build: neither its documents nor what is counted of it.
    private func expectGone(_ build: String, _ installation: Installation) async throws {
        #expect(try await builds(installation)[build] == nil)
        #expect(try await installation.documents("millrace.checkpoints", ["_id.b": .string(build)]).isEmpty)
        #expect(try await installation.documents("millrace.dead_letters", ["_id.b": .string(build)]).isEmpty)
        let found = try await installation.command(["listCollections": 1, "filter": ["name": .string(build)]])
        #expect(found["cursor"]?.asDocument?["firstBatch"] == [])
    }

    @Test func `an edited model is folded anew, read, gone back from and gone to again`() async throws {
        try await Installation.run(partitions: 2) { installation in
            try await installation.drain(Self.events)
            let before = try await installation.documents("product@1")
            try installation.write("config/models/product.yaml", Installation.model.replacing("$inc: { stock: $data.delta }", with: "$inc: { stock: 2 }"))
            let plan = try await installation.json("rebuild", "--dry-run", "product")
            #expect(plan["events"] == 300 && plan["changes"] == ["stockAdjusted changed"] && plan["left"] == .null)

            let lines = try await installation.jsonLines("rebuild", "product")
            let done = try #require(lines.last)
            #expect(lines.count > 3 && lines.dropLast().allSatisfy { $0["build"] == "product@2" && $0["stage"] != "done" })
            #expect(done["stage"] == "done" && done["build"] == "product@2" && done["left"] == "product@1" && done["events"] == 300)
            #expect(done["documents"] == 40 && done["documentsBefore"] == 40 && done["differenceExpected"] == true)
            #expect(done["different"]?.asArray?.count == 40)
            #expect(try await installation.json("get", "product", "k0")["stock"] == 16)
            #expect(try await installation.documents("product").allSatisfy { $0["stock"] == 14 || $0["stock"] == 16 }, "through the view")
            #expect(try await installation.json("plan")["toDo"] == false)

            // The build that was left goes on.
            try await installation.drain([EventText("more", "stockAdjusted", key: "k0", data: ["delta": 1])])
            #expect(try await installation.json("get", "product", "k0")["stock"] == 18)
            #expect(try await installation.documents("product@1", ["_id": "k0"]).first?["stock"] == 9)

            let undone = try await installation.json("rebuild", "--undo", "product")
            #expect(undone["live"] == "product@1" && undone["left"] == "product@2")
            #expect(try await installation.json("get", "product", "k0")["stock"] == 9)
            #expect(try await installation.documents("product").count == before.count)
            let receipt = try await installation.json("drain", "--once")
            #expect(receipt["models"]?.asDocument?["product"]?.asDocument?["behindAfter"] == 0)
            #expect(try await installation.json("status")["models"]?.asDocument?["product"]?.asDocument?["build"] == "product@1")
        }
    }

    @Test func `a build without time to be kept is removed, and the new one is the same`() async throws {
        try await Installation.run { installation in
            // One that cannot be taken, for a letter of each build.
            try await installation.drain(Self.events)
            _ = try await installation.millrace("push", "product", input: EventText("bad", "stockAdjusted", key: "k1", data: ["delta": "x"]).json + "\n")
            #expect(try await installation.millrace("drain", "--once").code == 1)
            let before = try await installation.documents("product@1")
            let ended = try await installation.millrace("rebuild", "product", "--keep", "0s")
            #expect(ended.code == 0, "\(ended.errors)")
            #expect(ended.output.contains("product@2 is live: 301 events, 40 documents in "))
            #expect(ended.output.contains("of 40 compared, 0 differ\nproduct@1 is removed\n"))
            #expect(ended.errors.split(separator: "\n").first == "product@2: folding", "plain lines on a pipe")
            #expect(try await installation.documents("product@2") == before)
            try await expectGone("product@1", installation)
            #expect(try await builds(installation) == ["product@2": "live"])
            #expect(try await installation.json("status")["deadLetters"] == 1)
            #expect(try await installation.documents("millrace.dead_letters").count == 1)

            // One that is half built would not know of it.
            #expect(try await installation.millrace("rebuild", "product").code == 0)
            #expect(try await installation.millrace("rebuild", "product", environment: ["MILLRACE_CRASH_AT": "build-folded:1"]).code == 137)
            let refused = try await installation.millrace("dead", "drop", "--all")
            #expect(refused.code == 75 && refused.errors.contains("rebuild --forget product"), "\(refused.errors)")
            let forgotten = try await eventually("the dead one's lease has run out") { try? await installation.json("rebuild", "--forget", "product") }
            #expect(forgotten["removed"] == ["product@2", "product@4"])
            try await expectGone("product@2", installation)
            #expect(try await installation.millrace("dead", "drop", "--all").code == 0)
            let undo = try await installation.millrace("rebuild", "--undo", "product")
            #expect(undo.code == 64 && undo.errors.contains("no earlier build of product is kept"))
        }
    }

    @Test func `what is decided about an event holds for a kept build too`() async throws {
        let model = Installation.model.replacing("stream: product", with: "stream: product\nonError: hold")
        try await Installation.run(["config/models/product.yaml": model]) { installation in
            let deltas: [Value] = [1, "many", 2]
            let events = deltas.enumerated().map { EventText("\($0)", "stockAdjusted", key: "k", data: ["delta": $1]).json + "\n" }
            #expect(try await installation.millrace("push", "product", input: events.joined()).code == 0)
            #expect(try await installation.millrace("drain", "--once").code == 1)
            #expect(try await installation.millrace("rebuild", "product").code == 0)

            func expect(_ stock: Value, _ counts: [Int64], letters: Int, _ comment: Comment) async throws {
                for build in ["product@1", "product@2"] {
                    #expect(try await installation.documents(build).map { $0["stock"] } == [stock], comment)
                    let stored = try await installation.documents("millrace.checkpoints").first { $0["_id"]?.asDocument?["b"] == .string(build) }
                    let totals = stored?["totals"]
                    #expect(["applied", "ignored", "parked", "held"].map { totals?.number($0) } == counts, comment)
                }
                #expect(try await installation.json("status")["deadLetters"]?.asInteger == Int64(letters), comment)
                #expect(try await installation.millrace("reconcile").code == 0, comment)
            }
            try await expect(1, [1, 0, 1, 1], letters: 1, "parked")
            #expect(try await installation.millrace("dead", "drop", "--all", "--dry-run").code == 0)
            try await expect(1, [1, 0, 1, 1], letters: 1, "a dry run")
            #expect(try await installation.millrace("dead", "drop", "--all").code == 0)
            try await expect(3, [2, 1, 0, 0], letters: 0, "dropped")
            #expect(try await installation.millrace("dead", "restore", "--all").code == 0)
            try await expect(1, [1, 0, 1, 1], letters: 1, "restored")
            #expect(try await installation.documents("millrace.dead_letters").allSatisfy { $0["decision"] == nil })

            // Named by the letter of the build that readers have left.
            #expect(try await installation.millrace("dead", "drop", "product@1/product/0@1").code == 0)
            try await expect(3, [2, 1, 0, 0], letters: 0, "dropped by the other letter")
            #expect(try await installation.millrace("rebuild", "--undo", "product").code == 0)
            try await expect(3, [2, 1, 0, 0], letters: 0, "gone back")
            try await installation.drain([EventText("3", "stockAdjusted", key: "k", data: ["delta": 4])])
            #expect(try await installation.json("get", "product", "k")["stock"] == 7)
        }
    }

    @Test func `a second rebuild is refused with the holder's name, and Ctrl-C leaves nothing behind`() async throws {
        try await Installation.run { installation in
            try await installation.drain(Self.events)
            let first = try installation.start(["rebuild", "product"], environment: ["MILLRACE_FREEZE_AT": "build-folded:1"])
            _ = try await eventually("the first one is frozen") { first.isFrozen ? true : nil }
            #expect(try await builds(installation) == ["product@1": "live", "product@2": "building"])
            let second = try await installation.millrace("rebuild", "product")
            #expect(second.code == 75 && second.errors.contains("/\(first.pid)/"), "\(second.errors)")
            #expect(try await installation.millrace("drain", "--once").code == 0, "the drain goes on")
            first.send(SIGINT)
            first.send(SIGCONT)
            let ended = try await first.ended()
            #expect(ended.code == 130 && ended.errors.contains("nothing is left of the new build"), "\(ended.errors)")
            try await expectGone("product@2", installation)
            let after = try await pointer(installation)
            #expect(after["live"] == "product@1" && after["switch"] == .null)
            #expect(try await installation.millrace("rebuild", "product").code == 0, "the lease is given back")
            #expect(try await pointer(installation)["live"] == "product@3", "no number is given twice")
        }
    }

    @Test func `a new definition that cannot take what is logged is refused, and nothing is left of its build`() async throws {
        try await Installation.run { installation in
            try await installation.drain(Self.events)
            let strict = Installation.model.replacing("$inc: { stock: $data.delta }", with: "$inc: { stock: $data.quantity }") + "\nonError: stop\n"
            try installation.write("config/models/product.yaml", strict)
            let ended = try await installation.millrace("rebuild", "product")
            #expect(ended.code == 78 && ended.errors.contains("the new build cannot take an event"), "\(ended.errors)")
            try await expectGone("product@2", installation)
            #expect(try await installation.json("get", "product", "k0")["stock"] == 8)
        }
    }

    @Test func `one document is written in place`() async throws {
        try await Installation.run { installation in
            try await installation.drain(Self.events)
            try await installation.command([
                "update": "product@1", "updates": [["q": ["_id": "k0"], "u": ["$set": ["stock": 100]]]], "writeConcern": ["w": "majority"],
            ])
            #expect(try await installation.json("get", "product", "k0")["stock"] == 100)
            let ended = try await installation.millrace("rebuild", "product", "--key", "k0")
            #expect(ended.code == 0 && ended.output == "k0 of product@1 was not what the log makes it, and is written anew\n", "\(ended.errors)")
            #expect(try await installation.json("get", "product", "k0")["stock"] == 8)
            #expect(try await installation.millrace("rebuild", "product", "--key", "k0").output == "k0 of product@1 is what the log makes it\n")
            #expect(try await builds(installation) == ["product@1": "live"])
        }
    }

    @Test func `what is not supported, or makes no sense, is refused`() async throws {
        try await Installation.run { installation in
            for arguments in [["--from-source"], ["--undo", "--resume"], ["--throttle", "0"], ["--keep", "soon"], ["--key", "k0", "--undo"], []] {
                let ended = try await installation.start(["rebuild"] + arguments + (arguments.isEmpty ? [] : ["product"])).ended()
                #expect(ended.code == 64, "\(arguments): \(ended.errors)")
            }
            let early = try await installation.millrace("rebuild", "product")
            #expect(early.code == 64 && early.errors.contains("nothing was drained"))
            try await installation.drain([])
            let resumed = try await installation.millrace("rebuild", "--resume", "product")
            #expect(resumed.code == 64 && resumed.errors.contains("leave out --resume"), "\(resumed.errors)")
        }
    }
}
