import EventFixtures
import Foundation
import Testing
import Values

/// `erase`: nothing of a key stays but the offsets of its elements.
@Suite(.serialized) struct EraseTests {
    private static let key = "jane.doe@example.com"
    private static let secret = "Hedgehog Lane 7"

    private static func event(_ id: String, _ key: String = key, _ delta: Value = 1) -> String {
        EventText(id, "stockAdjusted", key: .string(key), data: ["delta": delta, "address": .string(secret)]).json
    }

    private static func rename(_ id: String, _ key: String = key) -> String {
        EventText(id, "productRenamed", key: .string(key), data: ["name": .string(secret)]).json
    }

    /// Runs `body` with events of the key and of another in two models: applied, parked, repeated, and with a used id.
    private func run(_ body: (Installation) async throws -> Void) async throws {
        let second = Installation.model.replacing("model: product", with: "model: second")
        try await Installation.run(lease: "1s", ["config/models/second.yaml": second]) { installation in
            let list = "product: { list: \"\(installation.name):{product}\", chunk: { events: 3 }, maxEventBytes: 1KiB }"
            try installation.write("config/millrace.yaml", "version: 1\nlease: 1s\nstreams: { \(list) }\n")
            let large = EventText("8", "productRenamed", key: .string(Self.key), data: ["name": .string(Self.secret + String(repeating: "x", count: 2000))])
                .json
            let other = EventText("6", "stockAdjusted", key: "other", data: ["delta": 5]).json
            let lines = [
                Self.event("1"), Self.rename("2"), Self.event("3", Self.key, "many"), other, Self.event("1"), Self.rename("1"), large,
                EventText("7", "stockAdjusted", key: "other", data: ["delta": 7]).json, "no event",
            ]
            #expect(try await installation.millrace("push", "product", input: lines.joined(separator: "\n")).code == 0)
            #expect(try await installation.millrace("drain", "--once").code == 1)
            #expect(try await installation.json("get", "product", Self.key)["name"] == .string(Self.secret))
            try await body(installation)
        }
    }

    /// Everything that is stored, the log's blocks as `events` shows them.
    private func traces(_ installation: Installation) async throws -> [String] {
        var found: [String] = []
        for collection in ["meta", "log", "checkpoints", "leases", "definitions", "dead_letters", "unknown_types", "runs"].map({ "millrace.\($0)" }) + [
            "product@1", "second@1",
        ] {
            let text = try await installation.documents(collection).map { JSON.write(.document($0)) }.joined()
            if text.contains("jane.doe") || text.contains("Hedgehog") { found.append(collection) }
        }
        let log = try await installation.jsonLines("events", "product")
        let raw = log.compactMap { $0["base64"]?.asString }.compactMap { Base64.decode(Array($0.utf8)) }.map { String(decoding: $0, as: UTF8.self) }
        let text = log.map { JSON.write(.document($0)) }.joined() + raw.joined()
        if text.contains("jane.doe") || text.contains("Hedgehog") { found.append("events") }
        for element in try await installation.redis("LRANGE", installation.list() + ":oversize", "0", "-1") where element.contains("jane.doe") {
            found.append("oversize")
        }
        return found
    }

    private func expectErased(_ installation: Installation, _ totals: Document) async throws {
        #expect(try await traces(installation) == [])
        #expect(try await installation.millrace("get", "product", Self.key).code == 1)
        #expect(try await installation.json("get", "product", "other") == ["_id": "other", "stock": 12])
        let kinds = try await installation.jsonLines("events", "product").compactMap { $0["kind"]?.asString }
        #expect(kinds == ["erased", "erased", "erased", "event", "duplicate", "refused", "refused", "event", "refused"])
        let names = ["received", "logged", "duplicates", "undecodable"]
        let (now, before) = (try await installation.json("status")["streams"]?.asDocument?["product"], totals["streams"]?.asDocument?["product"])
        #expect(names.map { now?.number($0) } == names.map { before?.number($0) } && now?.number("oversize") == 0)
        for model in ["product", "second"] {
            let stored = try await installation.documents("millrace.checkpoints").first { $0["_id"]?.asDocument?["b"] == .string("\(model)@1") }
            let sums = stored?["totals"]
            let parts = ["applied", "ignored", "parked", "held"].compactMap { sums?.number($0) }
            #expect(parts.reduce(0, +) == sums?.number("logged") && parts == [4, 1, 3, 0], "\(parts)")
        }
        // The elements that are no events are told as ever, and of whom no more.
        #expect(try await installation.documents("millrace.dead_letters").count == 3)
    }

    @Test func `nothing of it stays, every total still agrees, and what comes after is new`() async throws {
        try await run { installation in
            let status = try await installation.json("status")
            #expect(try await traces(installation).count > 4)
            let sums = try await installation.json("erase", "product", Self.key)
            #expect(["elements", "events", "duplicates", "refused", "documents", "builds"].map { sums[$0]?.asInteger } == [6, 3, 1, 2, 2, 2], "\(sums)")
            try await expectErased(installation, status)
            #expect(try await installation.json("erase", "product", Self.key)["elements"] == 0)
            #expect(try await installation.documents("millrace.runs", ["kind": "erase"]).count == 2)
            let explained = try await installation.json("explain", "product", "other")
            #expect(explained["asLogged"] == true)

            // Also the same event again: nobody remembers it.
            #expect(try await installation.millrace("push", "product", input: Self.event("1")).code == 0)
            #expect(try await installation.millrace("drain", "--once").code == 0)
            #expect(try await installation.json("get", "product", Self.key) == ["_id": .string(Self.key), "stock": 1])
        }
    }

    @Test(arguments: ["heads-erased:1", "chunk-erased:1", "chunk-erased:2", "document-erased:1", "document-erased:2", "letters-erased:1"])
    func `one that was killed is finished by the next`(point: String) async throws {
        try await run { installation in
            let status = try await installation.json("status")
            let killed = try await installation.millrace("erase", "product", Self.key, environment: ["MILLRACE_CRASH_AT": point])
            #expect(killed.code == 137)
            _ = try await eventually("the dead one's lease has run out") {
                try await installation.millrace("erase", "product", Self.key).code == 0 ? true : nil
            }
            try await expectErased(installation, status)
        }
    }

    /// What was pruned is told by snapshots alone: without them nobody could say any more whether the others are right.
    @Test(arguments: [nil, "snapshot-erased:1", "document-erased:1"])
    func `after a prune the others' documents can be told still`(point: String?) async throws {
        try await run { installation in
            // What was decided about an event of the key goes with it.
            let letters = try await installation.jsonLines("dead", "list", "--model", "product")
            let own = try #require(letters.first { $0["key"] == .string(Self.key) }?["id"]?.asString, "\(letters)")
            #expect(try await installation.millrace("dead", "drop", own).code == 0)
            #expect(try await installation.millrace("snapshot").code == 0)
            let settings = "product: { list: \"\(installation.name):{product}\", chunk: { events: 3 }, maxEventBytes: 1KiB, dedupe: { events: 1 } }"
            try installation.write("config/millrace.yaml", "version: 1\nlease: 1s\nstreams: { \(settings) }\n")
            let pruned = try await installation.json("prune", "--accept-no-rebuild", "--before", "2099-01-01T00:00:00Z")
            #expect(pruned["partitions"]?.asArray?.first?.asDocument?.number("start") == 3, "\(pruned)")

            let environment = point.map { ["MILLRACE_CRASH_AT": $0] } ?? [:]
            let erased = try await installation.millrace("erase", "product", Self.key, environment: environment)
            #expect(erased.code == (point == nil ? 0 : 137), "\(erased.errors)")
            if point != nil {
                _ = try await eventually("the dead one's lease has run out") {
                    try await installation.millrace("erase", "product", Self.key).code == 0 ? true : nil
                }
            }
            #expect(try await installation.millrace("get", "product", Self.key).code == 1)
            #expect(try await installation.millrace("reconcile").code == 0)
            // Somebody edits the other, and brings the erased one back.
            try await installation.command([
                "update": "product@1", "updates": [["q": ["_id": "other"], "u": ["$set": ["stock": 100]]]], "writeConcern": ["w": "majority"],
            ])
            try await installation.command([
                "insert": "product@1", "documents": [["_id": .string(Self.key), "_position": ["p": 0, "o": .int64(1), "t": .date(0)], "stock": 1]],
                "writeConcern": ["w": "majority"],
            ])
            #expect(try await installation.millrace("reconcile", "--repair").code == 1)
            #expect(try await installation.documents("product@1").map { $0["_id"] } == ["other"])
            #expect(try await installation.json("get", "product", "other") == ["_id": "other", "stock": 12])
            // What comes later goes on from there.
            #expect(try await installation.millrace("push", "product", input: Self.event("20") + "\n" + Self.event("21", "other")).code == 0)
            #expect(try await installation.millrace("drain", "--once").code == 0)
            #expect(try await installation.millrace("snapshot").code == 0)
            #expect(try await installation.millrace("reconcile").code == 0)
            #expect(try await installation.json("get", "product", "other")["stock"] == 13)
        }
    }

    /// A worker that has decoded the key's events, and handed them on in memory, is older than the erasure.
    @Test(arguments: ["checkpoint-read:3", "documents-read:1", "folded:1", "checkpoint-moved:1"])
    func `a worker that had the events in memory does not bring them back`(point: String) async throws {
        try await Installation.run(lease: "30s") { installation in
            try await installation.drain([EventText("0", "stockAdjusted", key: "other", data: ["delta": 1])])
            let worker = try installation.start(["run"], environment: ["MILLRACE_FREEZE_AT": point])
            _ = try await installation.millrace(
                "push", "product", input: [Self.event("1"), Self.rename("2"), Self.rename("3", "other")].joined(separator: "\n"))
            guard (try? await eventually(within: .seconds(10), "it stands still") { worker.isFrozen ? true : nil }) != nil else {
                worker.send(15)
                _ = try await worker.ended()
                return
            }
            let erasing = try installation.start(["erase", "product", Self.key])
            // An open transaction of the worker is waited for.
            _ = try? await eventually(within: .seconds(3), "it is erased") { erasing.isRunning ? nil : true }
            worker.send(18)
            #expect(try await erasing.ended().code == 0)
            _ = try await eventually(within: .seconds(20), "the worker goes on") {
                try await installation.json("status")["models"]?.asDocument?["product"]?.number("lag") == 0 ? true : nil
            }
            worker.send(15)
            #expect(try await worker.ended().code == 0)
            #expect(try await installation.millrace("get", "product", Self.key).code == 1)
            #expect(try await installation.json("get", "product", "other")["name"] == .string(Self.secret))
            #expect(try await installation.jsonLines("events", "product").filter { $0["kind"] == "erased" }.count == 2)
        }
    }
}
