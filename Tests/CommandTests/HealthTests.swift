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
