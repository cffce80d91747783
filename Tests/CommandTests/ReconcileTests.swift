import EventFixtures
import Events
import Fixtures
import Foundation
import Testing
import Values

/// Documents that somebody edits, deletes and invents behind Millrace's back are found, named and put right.
@Suite(.serialized) struct ReconcileTests {
    private static func events(_ numbers: Range<Int>, keys: Int) -> [EventText] {
        numbers.map { number in
            number % 3 == 0
                ? EventText("\(number)", "productRenamed", key: .string("k\(number % keys)"), data: ["name": .string("name \(number)")])
                : EventText("\(number)", "stockAdjusted", key: .string("k\(number % keys)"), data: ["delta": .int32(Int32(number % 7))])
        }
    }

    private static func push(_ installation: Installation, _ events: [EventText]) async throws {
        let pushed = try await installation.millrace("push", "product", input: events.map { $0.json + "\n" }.joined())
        #expect(pushed.code == 0, "\(pushed.errors)")
    }

    private static func update(_ installation: Installation, _ filter: Document, _ change: Value, upsert: Bool = false) async throws {
        let reply = try await installation.command([
            "update": "product@1", "updates": [["q": .document(filter), "u": change, "upsert": .bool(upsert)]], "writeConcern": ["w": "majority"],
        ])
        #expect(reply["n"] == 1, "\(filter)")
    }

    private static func remove(_ installation: Installation, _ filter: Document) async throws {
        let reply = try await installation.command([
            "delete": "product@1", "deletes": [["q": .document(filter), "limit": 1]], "writeConcern": ["w": "majority"],
        ])
        #expect(reply["n"] == 1, "\(filter)")
    }

    private static func insert(_ installation: Installation, _ document: Document) async throws {
        try await installation.command(["insert": "product@1", "documents": [.document(document)], "writeConcern": ["w": "majority"]])
    }

    /// What a reconcile says of the model.
    private static func reconcile(_ installation: Installation, _ options: String..., code: Int32) async throws -> Document {
        let ended = try await installation.start(["reconcile", "product", "--json"] + options).ended()
        guard ended.code == code, case .document(let document) = try JSONText.parse(ended.output.trimmingSuffix("\n")).get() else {
            throw Failure("\(options): exit code \(ended.code), \(ended.output) \(ended.errors)")
        }
        return try #require(document["models"]?.asDocument?["product"]?.asDocument)
    }

    private static func counts(_ document: Document) -> [Int64?] {
        ["missing", "extra", "different", "repaired"].map { document[$0]?.asInteger }
    }

    private static func drift(_ document: Document) -> [String] {
        (document["drift"]?.asArray ?? []).compactMap(\.asDocument).map { drift in
            let fields = (drift["fields"]?.asArray ?? []).compactMap { $0.asDocument?["name"]?.asString }
            return ([drift["_id"]?.asString ?? drift["_id"].map(JSON.write) ?? "", drift["kind"]?.asString ?? ""] + fields).joined(separator: " ")
        }.sorted()
    }

    private static let damage = [
        "12 extra", "gone missing", "invented extra", "k0 different stock", "k1 different _position", "k2 missing", "k3 different _position",
        "k4 different (order)", "k5 different extra", "k6 different name", "unplaced extra",
    ]

    /// One of each kind.
    private static func meddle(_ installation: Installation) async throws {
        try await update(installation, ["_id": "k0"], ["$set": ["stock": 1_000_000]])
        try await update(installation, ["_id": "k1"], ["$set": ["_position.o": .int64(3)]])
        try await remove(installation, ["_id": "k2"])
        try await update(installation, ["_id": "k3"], ["$unset": ["_position": ""]])
        let turned = try #require(try await installation.documents("product@1", ["_id": "k4"]).first)
        let head = turned.fields.prefix(2)
        try await update(installation, ["_id": "k4"], .document(Document(Array(head) + turned.fields.dropFirst(2).reversed())))
        try await update(installation, ["_id": "k5"], ["$set": ["extra": []]])
        try await update(installation, ["_id": "k6"], ["$unset": ["name": ""]])
        try await remove(installation, ["_id": "gone"])
        try await insert(installation, ["_id": "invented", "_position": ["p": 0, "o": .int64(1), "t": .date(0)], "stock": 1])
        try await insert(installation, ["_id": "unplaced"])
        try await insert(installation, ["_id": 12, "stock": 1])
    }

    private static func start(_ installation: Installation) async throws -> [Document] {
        try await installation.drain(events(0..<70, keys: 7) + [EventText("gone", "stockAdjusted", key: "gone", data: ["delta": 1])])
        return try await sorted(installation)
    }

    private static func sorted(_ installation: Installation) async throws -> [Document] {
        try await installation.documents("product@1").sorted { "\($0)" < "\($1)" }
    }

    @Test(arguments: [1, 3]) func `each kind of damage is named, and nothing is written before it is asked for`(partitions: Int) async throws {
        try await Installation.run(partitions: partitions) { installation in
            let truth = try await Self.start(installation)
            let clean = try await Self.reconcile(installation, code: 0)
            #expect(clean["documents"] == 8 && clean["outcome"] == "clean" && Self.counts(clean) == [0, 0, 0, 0])

            try await Self.meddle(installation)
            let damaged = try await Self.sorted(installation)
            let report = try await Self.reconcile(installation, code: 1)
            #expect(Self.drift(report) == Self.damage.sorted())
            #expect(Self.counts(report) == [2, 3, 6, 0] && report["outcome"] == "drift")
            #expect(try await Self.sorted(installation) == damaged)
            // Along the keys instead of by sums.
            let slowly = try await Self.reconcile(installation, "--throttle", "100000", code: 1)
            #expect(Self.drift(slowly) == Self.damage.sorted() && Self.counts(slowly) == [2, 3, 6, 0] && slowly["documents"] == report["documents"])

            let last = try await Self.reconcile(installation, "--last", code: 1)
            #expect(Self.drift(last) == Self.damage.sorted() && last["began"] != nil)
            let text = try await installation.millrace("reconcile", "product", "--last")
            #expect(text.output.contains("product k0: different; stock: found 1000000, expected"))

            let repaired = try await Self.reconcile(installation, "--repair", code: 1)
            #expect(Self.counts(repaired) == [2, 3, 6, 11] && repaired["outcome"] == "repaired")
            #expect(try await Self.sorted(installation) == truth)
            let totals = try await installation.documents("millrace.checkpoints").map { $0["totals"]?.asDocument?["drift"]?.asInteger ?? 0 }
            #expect(totals.reduce(0, +) == 11)
            #expect(try await Self.reconcile(installation, "--repair", code: 0)["outcome"] == "clean")
            let runs = try await installation.json("runs", "list", "--kind", "reconcile")["runs"]?.asArray?.compactMap { $0.asDocument?["outcome"]?.asString }
            #expect(runs == ["good", "not-good", "not-good", "not-good", "good"])
        }
    }

    @Test func `one document, and a part of them`() async throws {
        try await Installation.run { installation in
            _ = try await Self.start(installation)
            try await Self.meddle(installation)
            let one = try await Self.reconcile(installation, "--id", "k0", code: 1)
            #expect(one["documents"] == 1 && Self.drift(one) == ["k0 different stock"])
            #expect(try await Self.reconcile(installation, "--id", "k0", "--repair", code: 1)["repaired"] == 1)
            #expect(try await Self.reconcile(installation, "--id", "k0", code: 0)["outcome"] == "clean")
            // There is one block, which every part of them has.
            #expect(Self.drift(try await Self.reconcile(installation, "--sample", "1%", code: 1)).count == 10)

            let many = (1000..<4000).map { EventText("\($0)", "stockAdjusted", key: .string("m\($0)"), data: ["delta": 1]) }
            try await installation.drain(many)
            _ = try await Self.reconcile(installation, "--repair", code: 1)
            _ = try await installation.json("snapshot")
            let part = try await Self.reconcile(installation, "--sample", "20%", "--throttle", "100000", code: 0)
            let documents = try #require(part["documents"]?.asInteger)
            #expect(400 <= documents && documents < 2000)
        }
    }

    @Test func `what was erased is in no snapshot and no report, and no reconcile brings it back`() async throws {
        try await Installation.run { installation in
            _ = try await Self.start(installation)
            _ = try await installation.json("snapshot")
            try await Self.update(installation, ["_id": "k0"], ["$set": ["secret": "x"]])
            _ = try await Self.reconcile(installation, code: 1)
            let erased = try await installation.millrace("erase", "product", "k0")
            #expect(erased.code == 0, "\(erased.errors)")
            // Those of the others stay, and blocks are all that there is of keys and documents.
            let snapshots = try await installation.documents("millrace.snapshots")
            let blocks = snapshots.flatMap { block in ["keys", "raw"].compactMap { block[$0]?.asBinary } }.map { Zstd.decompress($0) ?? [] }
            #expect(blocks.count >= 2 && blocks.allSatisfy { !$0.isEmpty && $0.firstRange(of: Array("k0".utf8)) == nil })
            #expect(try await installation.documents("millrace.drift", ["id": "k0"]).isEmpty)
            #expect(try await Self.reconcile(installation, "--repair", code: 0)["documents"] == 7)
            #expect(try await installation.millrace("get", "product", "k0").code == 1)
        }
    }

    @Test func `more drift than may be changed is not repaired`() async throws {
        try await Installation.run { installation in
            let truth = try await Self.start(installation)
            try await Self.meddle(installation)
            let damaged = try await Self.sorted(installation)
            let declined = try await Self.reconcile(installation, "--repair", "--max-change", "10", code: 1)
            #expect(declined["outcome"] == "declined" && declined["repaired"] == 0 && declined["reported"] == 11)
            #expect(try await Self.sorted(installation) == damaged)
            #expect(try await Self.reconcile(installation, "--repair", "--max-change", "11", code: 1)["repaired"] == 11)
            #expect(try await Self.sorted(installation) == truth)
        }
    }

    @Test func `what expired, what is held and what was dropped are no drift, nor are orphans`() async throws {
        let model = """
            version: 1
            model: product
            stream: product
            onError: hold
            ttl: 1s
            root: created
            fold:
              created: { $set: { name: $data.name } }
              stockAdjusted: { $inc: { stock: $data.delta } }

            """
        try await Installation.run(["config/models/product.yaml": model]) { installation in
            func push(_ id: String, _ key: String, _ delta: Value) async throws {
                try await Self.push(installation, [EventText(id, "stockAdjusted", key: .string(key), data: ["delta": delta])])
            }
            try await push("1", "a", 1)
            try await push("2", "b", "many")
            try await push("3", "b", 1)
            _ = try await installation.millrace("drain", "--once")
            #expect(try await Self.reconcile(installation, code: 0)["documents"] == 1)
            _ = try await installation.json("dead", "drop", "--all")
            #expect(try await Self.reconcile(installation, code: 0)["documents"] == 2)
            try await Self.update(installation, ["_id": "b"], ["$set": ["stock": 5]])
            #expect(Self.drift(try await Self.reconcile(installation, "--repair", code: 1)) == ["b different stock"])
            _ = try await eventually("they have expired") { () async throws -> Bool? in
                try await Task.sleep(for: .milliseconds(1100))
                return true
            }
            try await push("4", "c", 1)
            _ = try await installation.json("drain", "--once")
            let after = try await Self.reconcile(installation, code: 0)
            #expect(after["outcome"] == "clean")
            // What has expired, and is stored still.
            try await Self.insert(installation, ["_id": "a", "_position": ["p": 0, "o": .int64(0), "t": .date(0)], "_expires": .date(1)])
            #expect(try await Self.reconcile(installation, code: 0)["outcome"] == "clean")
        }
    }

    /// More than one transaction: one is killed within, one behind its commit; and before there is anything to repair.
    @Test func `a reconcile that is killed is finished by the next, and does not stop the projection for long`() async throws {
        for point in ["reconcile-begun:1", "drift-reported:1", "documents-written:1", "documents-written:2", "committed:1"] {
            try await Installation.run(lease: "1s") { installation in
                let events = (0..<3000).map { EventText("\($0)", "stockAdjusted", key: .string("k\($0)"), data: ["delta": 1]) }
                try await installation.drain(events)
                let truth = try await Self.sorted(installation)
                let reply = try await installation.command([
                    "update": "product@1", "updates": [["q": ["stock": 1], "u": ["$set": ["stock": 7]], "multi": true]], "writeConcern": ["w": "majority"],
                ])
                #expect(reply["n"] == 3000)
                let killed = try await installation.millrace(
                    "reconcile", "--repair", "--max-change", "3000", environment: ["MILLRACE_CRASH_AT": point])
                #expect(killed.code == 128 + SIGKILL, "\(point): \(killed.errors)")
                let started = ContinuousClock.now
                try await Self.push(installation, [EventText("more", "productRenamed", key: "other", data: ["name": "x"])])
                // It gives up after three leases, and the dead one's transaction is ended when its own has run out.
                _ = try await eventually("it is drained") { try await installation.millrace("drain", "--once").code == 0 ? true : nil }
                #expect(ContinuousClock.now - started < .seconds(40), "\(point)")
                let ended = try await eventually("the dead one's lease has run out") {
                    let ended = try await installation.millrace("reconcile", "--repair", "--max-change", "3000", "--json")
                    return ended.code == 75 ? nil : ended
                }
                #expect(ended.code == 1, "\(point): \(ended.errors)")
                #expect(try await Self.sorted(installation).filter { $0["_id"] != "other" } == truth, "\(point)")
                #expect(try await Self.reconcile(installation, code: 0)["outcome"] == "clean", "\(point)")
                let totals = try await installation.documents("millrace.checkpoints").first?["totals"]?.asDocument
                #expect(totals?["drift"]?.asInteger == 3000, "\(point)")
            }
        }
    }

    @Test(arguments: Seed.steady) func `random damage is found and repaired while the drain goes on`(seed: Seed) async throws {
        let files = ["product", "control"].map { name in
            ("config/models/\(name).yaml", Installation.model.replacing("model: product", with: "model: \(name)"))
        }
        try await Installation.run(partitions: 2, Dictionary(files, uniquingKeysWith: { $1 })) { installation in
            var random = Random(seed)
            let service = try installation.start(["run"])
            for round in 0..<6 {
                try await Self.push(installation, Self.events(round * 500..<(round + 1) * 500, keys: 90))
                for _ in 0..<12 {
                    let key = random.once(in: 4) ? "invented\(random.below(1000))" : "k\(random.below(90))"
                    let change: Value =
                        random.once(in: 2) ? ["$set": ["stock": .int32(Int32(random.below(1000)))]] : ["$unset": ["_position": ""]]
                    let update: Value = ["q": ["_id": .string(key)], "u": change, "upsert": .bool(key.hasPrefix("i"))]
                    let removal: Value = ["q": ["_id": .string(key)], "limit": 1]
                    try await installation.command(
                        random.once(in: 3) ? ["delete": "product@1", "deletes": [removal]] : ["update": "product@1", "updates": [update]])
                }
                let more = Self.events(10_000 + round * 500..<10_000 + (round + 1) * 500, keys: 90)
                async let pushed: Void = Self.push(installation, more)
                let ended = try await installation.millrace("reconcile", "--repair")
                #expect(ended.code == 0 || ended.code == 1, "round \(round): \(ended.errors)")
                try await pushed
            }
            kill(service.pid, SIGTERM)
            #expect(try await service.ended().code == 0)
            _ = try await installation.json("drain", "--once")
            // What was damaged last is repaired by now, and a control that nobody touched says the same.
            #expect(try await Self.reconcile(installation, code: 0)["outcome"] == "clean")
            let control = try await installation.documents("control@1").sorted { "\($0)" < "\($1)" }
            #expect(try await Self.sorted(installation) == control)
        }
    }
}
