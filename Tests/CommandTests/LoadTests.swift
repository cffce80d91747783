import EventFixtures
import Foundation
import Testing
import Values

/// `rebuild --from-source`: builds whose history begins with the rows of a source of truth.
@Suite(.serialized) struct LoadTests {
    private static let hold = "stream: product\nonError: hold"
    private static let source = """
        source:
          file: rows.ndjson
          event: { type: productRenamed, key: $row.id, occurredAt: $row.at, data: { name: $row.name } }

        """
    private static let files = ["config/models/product.yaml": Installation.model.replacing("stream: product", with: hold) + source]
    private static let keys = (0..<8).map { "k\($0)" }

    private static func row(_ key: String, _ name: String) -> String { #"{"id":"\#(key)","at":"2026-01-02T03:04:05.000Z","name":"\#(name)"}"# + "\n" }

    private static func rename(_ id: String, _ key: String, _ name: String) -> EventText {
        EventText(id, "productRenamed", key: .string(key), data: ["name": .string(name)])
    }

    private static func adjust(_ id: String, _ key: String, _ delta: Value) -> EventText {
        EventText(id, "stockAdjusted", key: .string(key), data: ["delta": delta])
    }

    /// Documents of four keys in the log, and rows of all eight: two of them say what the log says too.
    private static func start(_ installation: Installation) async throws {
        try await installation.drain(keys.prefix(4).flatMap { [rename("n\($0)", $0, "logged \($0)"), adjust("s\($0)", $0, 5)] })
        try installation.write("rows.ndjson", keys.enumerated().map { row($1, $0 < 2 ? "logged \($1)" : "row \($1)") }.joined())
    }

    private static func fields(_ installation: Installation, _ build: String = "product@2") async throws -> [String: [Value?]] {
        let documents = try await installation.documents(build)
        return Dictionary(documents.map { ($0["_id"]?.asString ?? "", [$0["name"], $0["stock"]]) }, uniquingKeysWith: { $1 })
    }

    private static func loaded(_ more: [String: [Value?]] = [:]) -> [String: [Value?]] {
        let rows = keys.enumerated().map { ($1, [.string($0 < 2 ? "logged \($1)" : "row \($1)"), nil] as [Value?]) }
        return Dictionary(rows, uniquingKeysWith: { $1 }).merging(more) { $1 }
    }

    private static func expectClean(_ installation: Installation, _ comment: Comment) async throws {
        let ended = try await installation.millrace("reconcile", "product", "--truth", "log")
        #expect(ended.code == 0, "\(comment): \(ended.output) \(ended.errors)")
        let status = try await installation.json("status")["models"]?.asDocument?["product"]?.asDocument
        #expect(status?["lag"] == 0, comment)
    }

    @Test(arguments: [1, 3]) func `rows come first, and then what is logged from there on`(partitions: Int) async throws {
        try await Installation.run(partitions: partitions, Self.files) { installation in
            try await Self.start(installation)
            let dry = try await installation.json("rebuild", "--from-source", "--dry-run", "product")
            #expect(dry["events"] == 0 && dry["fromSource"] == true)
            let lines = try await installation.jsonLines("rebuild", "--from-source", "product")
            #expect(lines.contains { $0["stage"] == "loading" && $0["rows"] == 8 || $0["stage"] == "loading" && $0["rows"] == 0 })
            let done = try #require(lines.last)
            #expect(done["rows"] == 8 && done["documents"] == 8 && done["documentsBefore"] == 4 && done["differenceExpected"] == true)
            // No stock is in the rows, and positions are not compared.
            #expect(done["different"] == ["k0", "k1", "k2", "k3"])
            #expect(done["applied"] == 0 && done["ignored"] == 8)
            #expect(try await Self.fields(installation) == Self.loaded())
            let time = try await installation.documents("product@2").first?["_position"]?.asDocument?["t"]?.asDate
            #expect(time == 1_767_323_045_000, "when the row happened")
            try await Self.expectClean(installation, "loaded")

            try await installation.drain([Self.adjust("a", "k0", 2), Self.rename("b", "k7", "later"), Self.adjust("c", "new", 1)])
            let now = Self.loaded(["k0": ["logged k0", 2], "k7": ["later", nil], "new": [nil, 1]])
            #expect(try await Self.fields(installation) == now)
            try await Self.expectClean(installation, "with events")
            // The build that was left has all of the log.
            #expect(try await Self.fields(installation, "product@1")["k0"] == ["logged k0", 7])

            // What is made of it goes back to the rows.
            #expect(try await installation.millrace("snapshot").code == 0)
            let heads = try await installation.documents("millrace.snapshots", ["purpose": ["$exists": true]])
            #expect(heads.filter { $0["purpose"] == "load" }.count == partitions && heads.contains { $0["purpose"] == "history" && $0["loaded"] == true })
            for (id, change) in [("k1", ["$set": ["name": "spoilt"]] as Value), ("k7", ["$unset": ["name": 1]])] {
                try await installation.command(["update": "product@2", "updates": [["q": ["_id": .string(id)], "u": change]]])
            }
            try await installation.command(["delete": "product@2", "deletes": [["q": ["_id": "k5"], "limit": 1]]])
            let found = try await installation.millrace("reconcile", "product", "--truth", "log", "--repair")
            #expect(found.code == 1, "\(found.output) \(found.errors)")
            #expect(try await Self.fields(installation) == now)
            try await Self.expectClean(installation, "repaired")

            // Somebody else's document is not what an event is folded onto.
            try await installation.command(["update": "product@2", "updates": [["q": ["_id": "k6"], "u": ["name": "of somebody else"]]]])
            try await installation.drain([Self.adjust("d", "k6", 4)])
            #expect(try await Self.fields(installation)["k6"] == ["row k6", 4])
        }
    }

    @Test func `what was is told from the rows on`() async throws {
        try await Installation.run(Self.files) { installation in
            try await Self.start(installation)
            #expect(try await installation.millrace("rebuild", "--from-source", "product").code == 0)
            try await installation.drain([Self.rename("a", "k5", "later"), Self.adjust("b", "k5", 1), Self.rename("c", "k5", "last")])
            let positions = try await installation.jsonLines("events", "product").map { $0["position"]?.asString ?? "" }
            let past = try await installation.json("get", "product", "k5", "--position", positions[8])
            #expect(past["name"] == "later" && past["stock"] == nil)
            #expect(try await installation.json("get", "product", "k3", "--position", positions[7])["name"] == "row k3")
            let before = try await installation.millrace("get", "product", "k3", "--position", positions[5])
            #expect(before.code == 78 && before.errors.contains("log-pruned: product@2 was loaded from its source of truth at offset 8"), "\(before.errors)")

            let explained = try await installation.json("explain", "product", "k5")
            let made = explained["fields"]?.asArray?.compactMap { $0.asDocument?["madeBy"]?.asDocument?["eventId"]?.asString }
            #expect(made == ["c", "b"] && explained["asLogged"] == true)
            let row = try await installation.json("explain", "product", "k3")
            #expect(row["fields"]?.asArray?.first?.asDocument?["madeBy"]?.asDocument?["loaded"] == true && row["asLogged"] == true)
            #expect(try await installation.millrace("explain", "product", "k3").output.contains("a row of its source"))

            // A letter of a key that was loaded, dropped and restored.
            _ = try await installation.millrace(
                "push", "product", input: Self.adjust("bad", "k4", "x").json + "\n" + Self.rename("next", "k4", "held").json + "\n")
            #expect(try await installation.millrace("drain", "--once").code == 1)
            #expect(try await Self.fields(installation)["k4"] == ["row k4", nil])
            try await Self.expectClean(installation, "held")
            #expect(try await installation.millrace("dead", "drop", "--all").code == 0)
            #expect(try await Self.fields(installation)["k4"] == ["held", nil])
            try await Self.expectClean(installation, "dropped")
            #expect(try await installation.millrace("dead", "restore", "--all").code == 0)
            #expect(try await Self.fields(installation)["k4"] == ["row k4", nil])
            #expect(try await installation.json("rebuild", "--key", "k5", "product")["outcome"] != nil)

            // Back to the log alone, and to another load.
            #expect(try await installation.json("rebuild", "--undo", "product")["live"] == "product@1")
            try await Self.expectClean(installation, "undone")
            #expect(try await installation.json("rebuild", "--undo", "product")["live"] == "product@2")
            try await Self.expectClean(installation, "gone back to")
            let plain = try await installation.millrace("rebuild", "product")
            #expect(plain.code == 0 && plain.errors.contains("product@2 was loaded from its source of truth"), "\(plain.errors)")
            #expect(try await Self.fields(installation, "product@3").count == 5)
            try await Self.expectClean(installation, "of the log")
            #expect(try await installation.millrace("rebuild", "--from-source", "product", "--keep", "0s").code == 0)
            #expect(try await Self.fields(installation, "product@4") == Self.loaded())
            try await Self.expectClean(installation, "loaded again")
            #expect(try await installation.millrace("rebuild", "--forget", "product").code == 0)
            let heads = try await installation.documents("millrace.snapshots", ["purpose": "load"])
            #expect(heads.map { $0["_id"]?.asDocument?["b"] } == ["product@4"])
        }
    }

    @Test func `an element that is no event and was before the load stays ignored there`() async throws {
        try await Installation.run(Self.files) { installation in
            try await Self.start(installation)
            _ = try await installation.redis("RPUSH", installation.list(), "no event")
            #expect(try await installation.millrace("drain", "--once").code == 1)
            #expect(try await installation.millrace("rebuild", "--from-source", "product", "--keep", "0s").code == 0)
            #expect(try await installation.millrace("dead", "drop", "--all").code == 0)
            let totals = try await installation.documents("millrace.checkpoints").first?["totals"]?.asDocument
            #expect(["logged", "ignored", "parked"].map { totals?.number($0) } == [9, 9, 0])
            try await Self.expectClean(installation, "dropped")
        }
    }

    @Test func `a load that cannot be done leaves nothing behind`() async throws {
        try await Installation.run(Self.files) { installation in
            try await Self.start(installation)
            let before = try await installation.documents("product@1")
            let rows = [
                ("", 65, "has no rows"), (Self.row("a", "b") + "no row\n", 65, "row 2 of the source of truth: it is no JSON"),
                (Self.row("a", "b") + "{}\n", 65, "1 of 2 rows of the source of truth cannot be taken, and nothing was changed: no-key: row 2"),
            ]
            for (text, code, message) in rows {
                try installation.write("rows.ndjson", text)
                let ended = try await installation.millrace("rebuild", "--from-source", "product")
                #expect(ended.code == code && ended.errors.contains(message), "\(ended.code) \(ended.errors)")
                let builds = try await installation.documents("millrace.definitions").first?["builds"]?.asArray
                #expect(builds?.count == 1)
                #expect(try await installation.documents("millrace.checkpoints").count == 1)
            }
            #expect(try await installation.documents("millrace.snapshots", ["purpose": "load"]).isEmpty)
            #expect(try await installation.documents("product@1") == before)
            try installation.write("config/models/product.yaml", Installation.model)
            let none = try await installation.millrace("rebuild", "--from-source", "product")
            #expect(none.code == 65 && none.errors.contains("product has no source of truth to be loaded from"), "\(none.errors)")
        }
    }

    @Test(arguments: ["build-added", "load-begun", "rows-loaded", "snapshot-written", "load-kept", "build-folded", "pointer-moved"])
    func `a load that was killed is done again, or gone on with`(point: String) async throws {
        try await Installation.run(lease: "1s", partitions: 2, Self.files) { installation in
            try await Self.start(installation)
            let killed = try await installation.millrace("rebuild", "--from-source", "product", environment: ["MILLRACE_CRASH_AT": "\(point):1"])
            #expect(killed.code == 137, "\(killed.errors)")
            #expect(try await installation.json("get", "product", "k0")["stock"] == (point == "pointer-moved" ? nil : 5))
            try await installation.drain([Self.adjust("a", "k0", 2)])
            if point == "load-begun" {
                let other = try await eventually("the lease has run out") {
                    let ended = try await installation.millrace("rebuild", "--resume", "product")
                    return ended.code == 75 ? nil : ended
                }
                #expect(other.code == 78 && other.errors.contains("was begun with --from-source"), "\(other.errors)")
            }
            _ = try await eventually("the lease has run out, and it is gone on with") {
                let ended = try await installation.millrace("rebuild", "--from-source", "--resume", "product")
                guard ended.code == 75 else { return ended.code == 0 ? true : try { throw Failure("\(ended.code) \(ended.errors)") }() }
                return nil
            }
            // What was logged before the rows were read again is in none of them here.
            let isKept = ["load-kept", "build-folded", "pointer-moved"].contains(point)
            let live = try await installation.json("status")["models"]?.asDocument?["product"]?.asDocument?["build"]?.asString ?? ""
            #expect(live == (isKept ? "product@2" : "product@3"))
            #expect(try await Self.fields(installation, live) == Self.loaded(["k0": ["logged k0", isKept ? 2 : nil]]))
            try await Self.expectClean(installation, "\(point)")
            #expect(try await installation.documents("millrace.snapshots", ["purpose": "load"]).count == 2)
        }
    }

    @Test func `where the rows are damaged, it is said, and they are left as they are`() async throws {
        try await Installation.run(Self.files) { installation in
            try await Self.start(installation)
            #expect(try await installation.millrace("rebuild", "--from-source", "product").code == 0)
            try await installation.drain([Self.adjust("a", "k0", 2)])
            let blocks: Document = ["_id.k": 0]
            try await installation.command(["update": "millrace.snapshots", "updates": [["q": .document(blocks), "u": ["$set": ["n": 7]], "multi": true]]])
            let last = try #require(try await installation.jsonLines("events", "product").last?["position"]?.asString)
            for words in [
                ["reconcile", "product", "--truth", "log"], ["snapshot"], ["get", "product", "k0", "--position", last], ["explain", "product", "k0"],
            ] {
                let ended = try await installation.start(words).ended()
                #expect(
                    ended.code == 65 && ended.errors.contains("log-damaged: what product@2 was loaded with in product/0"),
                    "\(words) \(ended.code) \(ended.errors)")
            }
            #expect(try await installation.documents("millrace.snapshots", ["purpose": "load"]).count == 1)
            #expect(try await installation.millrace("rebuild", "--from-source", "product", "--keep", "0s").code == 0)
            try await Self.expectClean(installation, "loaded again")
        }
    }

    @Test func `behind a pruned log, models are loaded anew`() async throws {
        try await Installation.run(Self.files) { installation in
            // Nothing is held back for duplicates.
            let settings = "version: 1\nstreams: { product: { list: \"\(installation.name):{product}\", chunk: { events: 2 }, dedupe: { events: 1 } } }\n"
            try installation.write("config/millrace.yaml", settings)
            try await Self.start(installation)
            #expect(try await installation.millrace("snapshot").code == 0)
            try await installation.drain([Self.adjust("a", "k0", 2)])
            let lines = try await installation.jsonLines("events", "product")
            let pruned = try await installation.start(["prune", "--json", "--from-source", "--before", lines[8]["loggedAt"]?.asString ?? ""]).ended()
            #expect(pruned.code == 0, "\(pruned.errors)")
            let refused = try await installation.millrace("rebuild", "product")
            #expect(refused.code != 0 && refused.errors.contains("log-pruned"), "\(refused.errors)")
            let done = try await installation.jsonLines("rebuild", "--from-source", "product").last
            #expect(done?["rows"] == 8)
            try await Self.expectClean(installation, "loaded")
            try await installation.drain([Self.adjust("b", "k7", 1)])
            #expect(try await installation.json("get", "product", "k7")["stock"] == 1)
            try await Self.expectClean(installation, "and after that")

            // What the build that was left goes on from is not the new one's to remove, nor a prune's.
            #expect(try await installation.millrace("snapshot", "--keep", "1").code == 0)
            let late = try await installation.start(["prune", "--json", "--from-source", "--before", "2099-01-01T00:00:00Z"]).ended()
            let held = try late.documents().first?["partitions"]?.asArray?.first?.asDocument?["heldBackBy"]
            #expect(held == "the newest snapshot of product@1, which is kept", "\(late.output) \(late.errors)")
            #expect(try await installation.json("rebuild", "--undo", "product")["live"] == "product@1")
            try await Self.expectClean(installation, "gone back")
            #expect(try await installation.json("get", "product", "k0")["stock"] == 7)
        }
    }

    @Test func `a job loads where it says so, and never folds the rows away`() async throws {
        let job = "version: 1\njob: rebuild\nmodels: [ product ]\nevery: 1d\nkeep: 0s\n"
        let jobs = ["jobs/load.yaml": job + "fromSource: true\n", "jobs/fold.yaml": job]
        try await Installation.run(Self.files.merging(jobs) { $1 }) { installation in
            try await Self.start(installation)
            #expect(try await installation.millrace("jobs", "run", "load").code == 0)
            #expect(try await Self.fields(installation) == Self.loaded())
            let refused = try await installation.millrace("jobs", "run", "fold")
            #expect(
                refused.code != 0 && (refused.errors + refused.output).contains("say fromSource: true"), "\(refused.code) \(refused.errors) \(refused.output)")
            #expect(try await Self.fields(installation) == Self.loaded())
        }
    }

    @Test(arguments: ["load-begun:1", "rows-loaded:1", "snapshot-written:1"]) func `a key that is erased meanwhile does not end a load`(point: String)
        async throws
    {
        try await Installation.run(Self.files) { installation in
            try await Self.start(installation)
            let load = try installation.start(["rebuild", "--from-source", "product"], environment: ["MILLRACE_FREEZE_AT": point])
            _ = try await eventually("it is frozen") { load.isFrozen ? true : nil }
            #expect(try await installation.millrace("erase", "product", "k2").code == 0)
            load.send(SIGCONT)
            let ended = try await load.ended()
            #expect(ended.code == 0, "\(ended.errors)")
            // What the source says of it after that is loaded.
            var rows = Self.loaded()
            if point != "load-begun:1" { rows["k2"] = nil }
            #expect(try await Self.fields(installation) == rows)
            try await Self.expectClean(installation, "loaded")
        }
    }
}
