import EventFixtures
import Foundation
import Testing
import Values

/// What `run` says of itself over HTTP.
@Suite(.serialized) struct HealthTests {
    /// Starts the service at a port of its own, and gives its address.
    private static func start(_ installation: Installation, _ environment: [String: String] = [:]) async throws -> (Child, String) {
        let service = try installation.start(["run"], environment: ["MILLRACE_HEALTH_LISTEN": "127.0.0.1:0"].merging(environment) { $1 })
        let url = try await eventually("it says where: \(service.errors)") {
            service.errors.firstMatch(of: /http:\/\/127[.]0[.]0[.]1:[1-9][0-9]*/).map { String($0.output) }
        }
        return (service, url)
    }

    private static func get(_ url: String) async throws -> (code: Int, text: String) {
        let ended = try await Child(
            "curl", ["-s", "-m", "20", "-w", "\n%{http_code}", url], environment: [:], directory: "/", files: FileManager.default.temporaryDirectory
        ).ended()
        let lines = ended.output.split(separator: "\n", omittingEmptySubsequences: false)
        return (Int(lines.last ?? "") ?? 0, lines.dropLast().joined(separator: "\n"))
    }

    @Test func `it is live, ready and measured`() async throws {
        let bad = "version: 1\njob: command\nrun: [ sh, -c, 'exit 3' ]\nevery: 1d\n"
        try await Installation.run(["jobs/bad.yaml": bad]) { installation in
            #expect(try await installation.millrace("jobs", "run", "bad").code == 1)
            let (service, url) = try await Self.start(installation)
            #expect(try await Self.get(url + "/livez") == (200, "ok\n"))
            _ = try await eventually("it is ready") { try await Self.get(url + "/readyz").code == 200 ? true : nil }
            #expect(try await Self.get(url + "/readyz?verbose").text == "[+]mongodb ok\n[+]redis ok\n")
            #expect(try await Self.get(url + "/nothing").code == 404)

            let event = EventText("1", "stockAdjusted", key: "a", data: ["delta": 5]).json
            #expect(try await installation.millrace("push", "product", input: "\(event)\n\(event)\n").code == 0)
            _ = try await eventually("it is applied") { try await installation.documents("product", ["stock": 5]).first }
            let wanted = [
                "millrace_up{server=\"mongodb\"} 1", "millrace_list_length{stream=\"product\"} 0", "millrace_received_events_total{stream=\"product\"} 2",
                "millrace_duplicate_events_total{stream=\"product\"} 1", "millrace_fold_events_total{model=\"product\",result=\"applied\"} 1",
                "millrace_documents_written_total{model=\"product\",action=\"insert\"} 1", "millrace_caught_up{model=\"product\"} 1",
                "millrace_dead_letters 0", "millrace_batch_events_count{model=\"product\"} 1", "millrace_job_paused{job=\"drain\"} 0",
                "millrace_job_bad{job=\"bad\"} 1", "millrace_job_running{job=\"bad\"} 0",
            ]
            _ = try await eventually(within: .seconds(30), "all is measured") {
                let lines = try await Self.get(url + "/metrics").text.split(separator: "\n").map(String.init)
                let missing = wanted.filter { !lines.contains($0) }
                return missing.isEmpty ? true : nil
            }
            service.send(15)
            #expect(try await service.ended().code == 0)
        }
    }

    @Test func `what rebuilds and reconciles have come to is measured, and the letters of live builds alone`() async throws {
        try await Installation.run { installation in
            let events = (0..<4).map { EventText("\($0)", "stockAdjusted", key: "a", data: ["delta": $0 == 3 ? "many" : 1]).json + "\n" }
            #expect(try await installation.millrace("push", "product", input: events.joined()).code == 0)
            #expect(try await installation.millrace("drain", "--once").code == 1)
            // The build that is left keeps its letter, and what is left of one that was killed is a build.
            #expect(try await installation.millrace("rebuild", "product").code == 0)
            #expect(try await installation.documents("millrace.dead_letters").count == 2)
            #expect(try await installation.millrace("rebuild", "product", environment: ["MILLRACE_CRASH_AT": "build-folded:1"]).code == 137)
            #expect(try await installation.millrace("reconcile").code == 0)
            try await installation.command([
                "update": "product@2", "updates": [["q": ["_id": "a"], "u": ["$set": ["stock": 100]]]], "writeConcern": ["w": "majority"],
            ])
            #expect(try await installation.millrace("reconcile", "--repair").code == 1)

            let (service, url) = try await Self.start(installation)
            _ = try await eventually("it is ready") { try await Self.get(url + "/readyz").code == 200 ? true : nil }
            #expect(try await installation.millrace("push", "product", input: EventText("5", "stockAdjusted", key: "b", data: ["delta": 1]).json).code == 0)
            _ = try await eventually("it is applied") { try await installation.documents("product@2", ["_id": "b"]).first }
            let model = "model=\"product\""
            let wanted = [
                "millrace_dead_letters 1", "millrace_builds{\(model),state=\"building\"} 1", "millrace_builds{\(model),state=\"live\"} 1",
                "millrace_builds{\(model),state=\"kept\"} 1", "millrace_rebuild_folded_events{\(model)} 4", "millrace_rebuild_progress_ratio{\(model)} 0.8",
                "millrace_reconcile_checked_documents{\(model)} 1", "millrace_reconcile_drifted_documents{\(model),kind=\"different\"} 1",
                "millrace_reconcile_drifted_documents{\(model),kind=\"missing\"} 0", "millrace_reconcile_repaired_documents{\(model)} 1",
                "millrace_reconcile_drift_ratio{\(model)} 1", "millrace_mongodb_connections{state=\"used\"} 5",
                "millrace_ingest_stage_duration_seconds_count{stream=\"product\",stage=\"append\"} 1",
                "millrace_ingest_stage_duration_seconds_count{stream=\"product\",stage=\"cut\"} 1",
            ]
            var lines: [String] = []
            _ = try? await eventually(within: .seconds(15), "all is measured") {
                lines = try await Self.get(url + "/metrics").text.split(separator: "\n").map(String.init)
                return wanted.allSatisfy(lines.contains) ? true : nil
            }
            #expect(wanted.filter { !lines.contains($0) } == [], "\(lines.filter { !$0.hasPrefix("#") && !$0.contains("bucket") })")
            // The first of them was clean.
            let clean = lines.compactMap { $0.wholeMatch(of: /millrace_reconcile_last_clean_timestamp_seconds.* (.*)/).flatMap { Double($0.1) } }
            #expect(clean.count == 1 && abs(Date().timeIntervalSince1970 - (clean.first ?? 0)) < 600)
            #expect(try await installation.json("status")["deadLetters"] == 1)
            service.send(15)
            #expect(try await service.ended().code == 0)
        }
    }

    @Test func `without its servers it is live and not ready`() async throws {
        try await Installation.run { installation in
            let (service, url) = try await Self.start(installation, ["MILLRACE_MONGODB_URL": "mongodb://127.0.0.1:1/?replicaSet=rs0"])
            #expect(try await Self.get(url + "/livez").code == 200)
            #expect(try await Self.get(url + "/readyz") == (503, "starting\n"))
            #expect(try await Self.get(url + "/metrics").code == 503)
            service.send(15)
            _ = try await service.ended()
        }
    }

    @Test func `a port that is taken is refused where somebody has asked for it`() async throws {
        try await Installation.run { installation in
            let (service, url) = try await Self.start(installation)
            let port = try #require(url.split(separator: ":").last)
            let second = try await installation.millrace("run", environment: ["MILLRACE_HEALTH_LISTEN": "127.0.0.1:\(port)"])
            #expect(second.code == 78 && second.errors.contains("health and metrics cannot be served at 127.0.0.1:\(port)"), "\(second.errors)")
            let nonsense = try await installation.millrace("run", environment: ["MILLRACE_HEALTH_LISTEN": "here"])
            #expect(nonsense.code == 78 && nonsense.errors.contains("MILLRACE_HEALTH_LISTEN: \"here\" is no address"), "\(nonsense.errors)")
            service.send(15)
            #expect(try await service.ended().code == 0)
        }
    }
}
