import EventFixtures
import Testing
import Values

/// Reconciles, snapshots and rebuilds as jobs of the runner.
@Suite(.serialized) struct BatchJobsTests {
    private static func edit(_ installation: Installation, _ build: String) async throws {
        let reply = try await installation.command([
            "update": .string(build), "updates": [["q": ["_id": "a"], "u": ["$set": ["stock": 100]]]], "writeConcern": ["w": "majority"],
        ])
        #expect(reply["n"] == 1)
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
}
