import EventFixtures
import Foundation
import Testing
import Values

/// Jobs that run programs, by the service.
@Suite(.serialized) struct CommandJobTests {
    private static func job(_ line: String, _ more: String = "every: 1s\n") -> String { "version: 1\njob: command\nrun: [ sh, -c, '\(line)' ]\n\(more)" }

    private static func runs(_ installation: Installation, _ job: String = "hello", _ verdict: String? = nil) async throws -> [Document] {
        var filter: Document = ["job": .string(job)]
        if let verdict { filter.append("outcome", .string(verdict)) }
        return try await installation.documents("millrace.runs", filter)
    }

    private static func stop(_ service: Child) async throws {
        service.send(15)
        let ended = try await service.ended(within: .seconds(30))
        #expect(ended.code == 0, "\(ended.errors)")
    }

    @Test func `a program runs on its schedule, and its exit code and last words are in the receipt`() async throws {
        let files = [
            "jobs/hello.yaml": Self.job("echo $MILLRACE_JOB; echo to you >&2"), "jobs/bad.yaml": Self.job("echo no; exit 3"),
            "jobs/none.yaml": "version: 1\njob: command\nrun: [ no-such-program ]\nevery: 1s\n",
        ]
        try await Installation.run(files) { installation in
            let service = try installation.start(["run"])
            let run = try await eventually("it has run twice") { () -> Document? in
                let runs = try await Self.runs(installation)
                return runs.count > 1 ? runs[0] : nil
            }
            #expect(run["kind"] == "command" && run["outcome"] == "good" && run["sums"] == ["exitCode": 0, "lastLines": ["hello", "to you"]])
            let bad = try await eventually("the other has failed") { try await Self.runs(installation, "bad").first }
            #expect(bad["outcome"] == "failed" && bad["sums"] == ["exitCode": 3, "lastLines": ["no"]])
            #expect(bad["problems"]?.asArray?.first?.asDocument?["problem"] == "exit-code")
            let none = try await eventually("the third cannot be started") { try await Self.runs(installation, "none").first }
            #expect(none["outcome"] == "failed" && none["problems"]?.asArray?.first?.asDocument?["problem"] == "bad-input")
            try await Self.stop(service)
            // The documents are drained all the while: one job does not keep another from running.
            #expect(service.errors.contains("draining"))
        }
    }

    @Test func `two services run it once each time`() async throws {
        try await Installation.run(lease: "2s", ["jobs/hello.yaml": Self.job("echo $MILLRACE_RUN >> began; sleep 0.2")]) { installation in
            let services = try (0..<2).map { _ in try installation.start(["run", "--job", "hello"]) }
            _ = try await eventually("it has run four times") { try await Self.runs(installation).count > 3 ? true : nil }
            for service in services { try await Self.stop(service) }
            let runs = try await Self.runs(installation)
            let began = try String(contentsOf: installation.directory.appending(path: "began"), encoding: .utf8).split(separator: "\n")
            #expect(Set(began.map(String.init)) == Set(runs.compactMap { $0["_id"]?.asString }) && began.count == runs.count)
            // None began before the one before had ended.
            let times = runs.compactMap { run in run["started"]?.asDate.map { ($0, run["ended"]?.asDate ?? 0) } }.sorted { $0.0 < $1.0 }
            #expect(zip(times, times.dropFirst()).allSatisfy { $0.1 <= $1.0 + 50 }, "\(times)")
        }
    }

    @Test func `a run that takes too long is stopped with what it has started, and tried again`() async throws {
        let job = Self.job("echo here; sleep 600 & wait", "every: 1d\ntimeout: 1s\nretries: 1\n")
        try await Installation.run(["jobs/hello.yaml": job]) { installation in
            let service = try installation.start(["run", "--job", "hello"])
            try await Self.makeDue("hello", installation)
            let runs = try await eventually("it has been tried twice") { () -> [Document]? in
                let runs = try await Self.runs(installation)
                return runs.count > 1 ? runs : nil
            }
            #expect(runs.allSatisfy { $0["outcome"] == "failed" && $0["problems"]?.asArray?.first?.asDocument?["problem"] == "timed-out" })
            let state = try await eventually("that was all") { () -> Document? in
                let state = try await installation.documents("millrace.jobs", ["_id": "hello"]).first
                return state?["running"] == .null ? state : nil
            }
            #expect(state["retry"] == .null && state["last"]?.asDocument?["verdict"] == "failed")
            try await Self.stop(service)
        }
    }

    @Test func `a stop ends the program, and the next service makes up for the run`() async throws {
        let job = Self.job("echo $$ >> began; test -e go || sleep 600", "every: 1d\n")
        try await Installation.run(["jobs/hello.yaml": job]) { installation in
            let service = try installation.start(["run", "--job", "hello"])
            try await Self.makeDue("hello", installation)
            let began = installation.directory.appending(path: "began")
            let pid = try await eventually("it has begun") {
                try? String(contentsOf: began, encoding: .utf8).split(separator: "\n").first.flatMap { pid_t($0) }
            }
            try await Self.stop(service)
            #expect(kill(pid, 0) != 0, "the program has ended")
            #expect(try await Self.runs(installation, "hello", "interrupted").count == 1)
            try installation.write("go", "")
            let next = try installation.start(["run", "--job", "hello"])
            _ = try await eventually("it has run") { try await Self.runs(installation, "hello", "good").first }
            try await Self.stop(next)
        }
    }

    @Test func `a run whose runner was killed gets a receipt all the same, and is tried again`() async throws {
        let job = Self.job("test -e go || sleep 600", "every: 1d\nretries: 1\n")
        try await Installation.run(lease: "2s", ["jobs/hello.yaml": job]) { installation in
            let service = try installation.start(["run", "--job", "hello"], environment: ["MILLRACE_CRASH_AT": "run-begun:1"])
            try await Self.makeDue("hello", installation)
            #expect(try await service.ended().code == 137)
            #expect(try await Self.runs(installation).isEmpty)
            try installation.write("go", "")
            let next = try installation.start(["run", "--job", "hello"])
            _ = try await eventually("the second attempt was good") { try await Self.runs(installation, "hello", "good").first }
            let failed = try await Self.runs(installation, "hello", "failed")
            #expect(failed.count == 1 && failed[0]["problems"]?.asArray?.first?.asDocument?["problem"] == "runner-died")
            try await Self.stop(next)
        }
    }

    @Test func `what was missed is made up for once, or skipped`() async throws {
        let files = ["jobs/hello.yaml": Self.job("echo", "every: 1d\n"), "jobs/skipped.yaml": Self.job("echo", "every: 1d\nmissed: skip\n")]
        try await Installation.run(files) { installation in
            for job in ["hello", "skipped"] { #expect(try await installation.millrace("jobs", "resume", job).code == 0) }
            // As if no runner had been there for three days.
            try await installation.command([
                "update": "millrace.jobs",
                "updates": [["q": [:], "u": [["$set": ["handled": ["$subtract": ["$$NOW", .int64(3 * 86_400_000)]]]]], "multi": true]],
                "writeConcern": ["w": "majority"],
            ])
            let service = try installation.start(["run", "--job", "hello", "--job", "skipped"])
            _ = try await eventually("one has run") { try await Self.runs(installation).first }
            _ = try await eventually("the other has not") { try await installation.documents("millrace.jobs", ["skipped.missed": 1]).first }
            try await Self.stop(service)
            #expect(try await Self.runs(installation).count == 1)
            #expect(try await Self.runs(installation, "skipped").isEmpty)
        }
    }

    /// As if a job's time had come: by moving what its schedule has been dealt with up to.
    static func makeDue(_ job: String, _ installation: Installation) async throws {
        _ = try await eventually("the job is known") { try await installation.documents("millrace.jobs", ["_id": .string(job)]).first }
        try await installation.command([
            "update": "millrace.jobs",
            "updates": [["q": ["_id": .string(job)], "u": [["$set": ["handled": ["$subtract": ["$$NOW", .int64(2 * 86_400_000)]]]]]]],
            "writeConcern": ["w": "majority"],
        ])
    }
}
