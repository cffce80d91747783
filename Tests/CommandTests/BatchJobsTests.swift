import EventFixtures
import Events
import Testing
import Values

/// Reconciles, snapshots, rebuilds and prunes as jobs of the runner.
@Suite(.serialized) struct BatchJobsTests {
    private static func edit(_ installation: Installation, _ build: String) async throws {
        let reply = try await installation.command([
            "update": .string(build), "updates": [["q": ["_id": "a"], "u": ["$set": ["stock": 100]]]], "writeConcern": ["w": "majority"],
        ])
        #expect(reply["n"] == 1)
    }

    /// As if chunks had been logged so many milliseconds earlier.
    private static func age(_ installation: Installation, _ filter: Document, by age: Int64) async throws {
        for stored in try await installation.documents("millrace.log", filter) {
            var chunk = try ChunkCodec.decode(stored)
            chunk.at -= age
            try await installation.command([
                "update": "millrace.log", "writeConcern": ["w": "majority"],
                "updates": [["q": ["_id": stored["_id"] ?? .null], "u": .document(try Document(bson: ChunkCodec.encode(chunk)))]],
            ])
        }
    }

    private static let events = (0..<5).map { EventText("\($0)", "stockAdjusted", key: "a", data: ["delta": 1]) }

    @Test func `the service puts right what somebody has edited, and its job is bad until the next clean run`() async throws {
        let files = [
            "jobs/hourly.yaml": "version: 1\njob: reconcile\nevery: 1s\nrepair: true\n",
            "jobs/calm.yaml": "version: 1\njob: reconcile\nevery: 1d\nmodels: [ product ]\nrepair: true\nalertAbove: 1\n",
        ]
        try await Installation.run(files) { installation in
            try await installation.drain(Self.events)
            try await Self.edit(installation, "product@1")
            // One drifted document is borne with by this one.
            let calm = try await installation.json("jobs", "run", "calm")
            #expect(calm["kind"] == "reconcile" && calm["outcome"] == "good")
            #expect(calm["sums"]?.number("different") == 1 && calm["sums"]?.number("repaired") == 1)
            #expect(try await installation.json("get", "product", "a")["stock"] == 5)

            try await Self.edit(installation, "product@1")
            let service = try installation.start(["run"])
            let repair = try await eventually("a run has repaired it") {
                try await installation.documents("millrace.runs", ["job": "hourly", "sums.repaired": 1]).first
            }
            #expect(repair["outcome"] == "not-good")
            #expect(try await installation.json("get", "product", "a")["stock"] == 5)
            _ = try await eventually("the next run is clean") {
                try await installation.documents("millrace.jobs", ["_id": "hourly", "last.verdict": "good"]).first
            }
            service.send(15)
            let ended = try await service.ended(within: .seconds(30))
            #expect(ended.code == 0, "\(ended.errors)")
        }
    }

    @Test func `a snapshot and a rebuild are jobs too, and each run leaves one receipt`() async throws {
        let files = [
            "jobs/nightly.yaml": "version: 1\njob: snapshot\ncron: \"0 0 * * *\"\nkeep: 2\n",
            "jobs/again.yaml": "version: 1\njob: rebuild\nevery: 1d\nmodels: [ product ]\nkeep: 0s\n",
        ]
        try await Installation.run(files) { installation in
            try await installation.drain(Self.events)
            let snapshot = try await installation.json("jobs", "run", "nightly")
            #expect(snapshot["kind"] == "snapshot" && snapshot["outcome"] == "good" && snapshot["sums"]?.number("documents") == 1)
            let rebuild = try await installation.json("jobs", "run", "again")
            #expect(rebuild["kind"] == "rebuild" && rebuild["outcome"] == "good")
            #expect(rebuild["sums"]?.asDocument?["product"]?.number("events") == 5)
            #expect(try await installation.json("get", "product", "a")["stock"] == 5)
            #expect(try await installation.json("status")["models"]?.asDocument?["product"]?.asDocument?["build"] == "product@2")
            #expect(try await installation.documents("millrace.runs", ["kind": ["$ne": "drain"]]).count == 2)
        }
    }

    @Test func `a prune is a job too, which has to say that nobody builds from what goes`() async throws {
        let shy = "version: 1\njob: prune\nevery: 1d\n"
        try await Installation.run(["jobs/tidy.yaml": shy]) { installation in
            let stream = "{ list: \"\(installation.name):{product}\", chunk: { events: 2 }, dedupe: { events: 1 }, log: { retain: 1h } }"
            try installation.write("config/millrace.yaml", "version: 1\nstreams: { product: \(stream), other: { list: \"\(installation.name):other\" } }\n")
            let refused = try await installation.millrace("jobs", "list")
            #expect(refused.code == 78 && refused.errors.contains("jobs/tidy.yaml:1:1: acceptNoRebuild: true or fromSource: true is missing"))
            // What is switched off removes nothing either.
            try installation.write("jobs/tidy.yaml", shy + "enabled: false\nacceptNoRebuild: true\n")
            #expect(try await installation.millrace("jobs", "run", "tidy").code == 64)
            try installation.write("jobs/tidy.yaml", shy + "fromSource: true\n")

            try await installation.drain(Self.events)
            // As if the first chunk had been logged two hours ago.
            try await Self.age(installation, ["_id.o": 0], by: 7_200_000)
            let early = try await installation.json("jobs", "run", "tidy")
            #expect(early["kind"] == "prune" && early["outcome"] == "good" && early["sums"]?.number("elements") == 0)
            #expect(try await installation.millrace("snapshot").code == 0)
            let run = try await installation.json("jobs", "run", "tidy")
            #expect(run["outcome"] == "good" && run["sums"]?.number("chunks") == 1 && run["sums"]?.number("elements") == 2)
            #expect(run["sums"]?.asDocument?["fromSource"] == true)
            // Of the one that keeps its log for ever nothing goes.
            let starts = run["sums"]?.asDocument?["partitions"]?.asArray?.compactMap { $0.asDocument?.number("start") }
            #expect(starts == [0, 2])
            #expect(try await installation.jsonLines("events", "product").compactMap { $0["offset"]?.asInteger } == [2, 3, 4])
            #expect(try await installation.json("runs", "show", run["id"]?.asString ?? "") == run)
            #expect(try await installation.documents("millrace.runs", ["kind": "prune"]).count == 2)
        }
    }

    @Test func `a month's end is kept as it was, apart from the nights, and waits until it is in effect`() async throws {
        let files = [
            "jobs/nightly.yaml": "version: 1\njob: snapshot\nevery: 1d\nkeep: 1\n",
            "jobs/months.yaml": "version: 1\njob: snapshot\nat: month-end\ncron: \"0 0 1 * *\"\ntimezone: Asia/Seoul\nkeep: 2\n",
        ]
        try await Installation.run(files) { installation in
            let stream = "product: { list: \"\(installation.name):{product}\", chunk: { events: 2 } }"
            try installation.write("config/millrace.yaml", "version: 1\nstreams: { \(stream) }\n")
            try await installation.drain(Self.events)
            func snapshots() async throws -> [Document] {
                try await installation.documents("millrace.snapshots", ["purpose": ["$exists": true]]).sorted {
                    ($0["_id"]?.asDocument?.number("o") ?? 0) < ($1["_id"]?.asDocument?.number("o") ?? 0)
                }
            }
            // The log is younger than the month's end.
            #expect(try await installation.json("jobs", "run", "months")["sums"]?.number("snapshots") == 0)
            #expect(try await snapshots() == [])

            try await Self.age(installation, ["_id.o": ["$lt": 4]], by: 32 * 86_400_000)
            #expect(try await installation.json("jobs", "run", "nightly")["outcome"] == "good")
            let run = try await installation.json("jobs", "run", "months")
            #expect(run["outcome"] == "good" && run["sums"]?.number("snapshots") == 1)
            try await installation.drain([EventText("5", "stockAdjusted", key: "a", data: ["delta": 1])])
            #expect(try await installation.json("jobs", "run", "nightly")["outcome"] == "good")
            let kept = try await snapshots()
            #expect(kept.map { $0["_id"]?.asDocument?.number("o") } == [4, 6] && kept.map { $0["purpose"] } == ["month-end", "history"])

            try await installation.command(["update": "millrace.checkpoints", "updates": [["q": [:], "u": ["$set": ["offset": .int64(3)]]]]])
            let early = try await installation.json("jobs", "run", "months", code: 1)
            #expect(early["outcome"] == "failed" && early["problems"]?.asArray?.first?.asDocument?["problem"] == "not-caught-up", "\(early)")
        }
    }
}
