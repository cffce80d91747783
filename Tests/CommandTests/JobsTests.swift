import EventFixtures
import Testing
import Values

/// Jobs on the command line, and what the runners do about them.
@Suite(.serialized) struct JobsTests {
    private static let hello = "version: 1\njob: command\nrun: [ echo, hello ]\ncron: \"30 2 * * *\"\ntimezone: Europe/Berlin\n"

    private static func stop(_ service: Child) async throws {
        service.send(15)
        let ended = try await service.ended(within: .seconds(30))
        #expect(ended.code == 0, "\(ended.errors)")
    }

    @Test func `jobs are listed and shown, and run by hand`() async throws {
        let bad = "version: 1\njob: command\nrun: [ sh, -c, 'exit 3' ]\nevery: 1h\nretries: 5\n"
        try await Installation.run(["jobs/hello.yaml": Self.hello, "jobs/bad.yaml": bad]) { installation in
            let jobs = try await installation.json("jobs", "list")["jobs"]?.asArray?.compactMap(\.asDocument) ?? []
            #expect(jobs.map { $0["job"] } == ["bad", "drain", "hello"] && jobs.map { $0["kind"] } == ["command", "drain", "command"])
            #expect(jobs.map { $0["schedule"] } == ["every 1h", .null, "30 2 * * * Europe/Berlin"])
            #expect(jobs.allSatisfy { $0["last"] == .null && $0["running"] == .null && $0["bad"] == false && $0["paused"] == false })
            let shown = try await installation.json("jobs", "show", "hello")
            let times = shown["next"]?.asArray?.compactMap(\.asString) ?? []
            #expect(times.count == 3 && times.allSatisfy { $0.hasSuffix("0:30:00.000Z") || $0.hasSuffix("1:30:00.000Z") }, "\(times)")

            let run = try await installation.json("jobs", "run", "hello")
            #expect(run["job"] == "hello" && run["kind"] == "command" && run["outcome"] == "good" && run["sums"]?.asDocument?["lastLines"] == ["hello"])
            #expect(try await installation.json("runs", "show", run["id"]?.asString ?? "") == run)
            #expect(try await installation.json("jobs", "show", "hello")["last"]?.asDocument?["run"] == run["id"])

            // A failed run makes the job bad until the next one that is good; by hand it is not tried again.
            #expect(try await installation.json("jobs", "run", "bad", code: 1)["sums"]?.number("exitCode") == 3)
            #expect(try await installation.json("jobs", "list", code: 1)["jobs"]?.asArray?.first?.asDocument?["bad"] == true)
            #expect(try await installation.documents("millrace.jobs", ["_id": "bad"]).first?["retry"] == .null)
            let table = try await installation.millrace("jobs", "list")
            #expect(table.code == 1 && table.output.contains("every 1h") && table.output.contains("all the time"))

            #expect(try await installation.millrace("jobs", "run", "drain").code == 65)
            for arguments in [["jobs", "run", "helo"], ["jobs", "show", "helo"], ["jobs", "pause", "helo"], ["run", "--job", "helo"]] {
                let ended = try await installation.start(arguments).ended()
                #expect(ended.code == 64 && ended.errors == "millrace: unknown-name: there is no job helo: did you mean hello?\n", "\(arguments)")
            }
        }
    }

    @Test func `a job that somebody runs is refused with his name`() async throws {
        let slow = "version: 1\njob: command\nrun: [ sh, -c, 'until test -e go; do sleep 0.05; done' ]\nevery: 1d\n"
        try await Installation.run(["jobs/slow.yaml": slow]) { installation in
            let first = try installation.start(["jobs", "run", "slow"])
            let owner = try await eventually("it runs") {
                try await installation.documents("millrace.jobs").first { $0["running"]?.asDocument != nil }?["running"]?.asDocument?["owner"]?.asString
            }
            let second = try await installation.millrace("jobs", "run", "slow")
            #expect(second.code == 75 && second.errors.contains("lease-held: \(owner) is at the job slow"), "\(second.errors)")
            #expect(try await installation.millrace("jobs", "list").output.contains("running on \(owner)"))
            try installation.write("go", "")
            #expect(try await first.ended().code == 0)
        }
    }

    @Test func `a pause stops a drain and survives a restart, and a resume lets it go on`() async throws {
        let tick = "version: 1\njob: command\nrun: [ echo, tick ]\nevery: 1s\n"
        try await Installation.run(["jobs/tick.yaml": tick]) { installation in
            var service = try installation.start(["run"])
            func push(_ id: String) async throws {
                _ = try await installation.redis("RPUSH", installation.list(), EventText(id, "stockAdjusted", key: "a", data: ["delta": 1]).json)
            }
            try await push("1")
            _ = try await eventually("the first event is applied") { try await installation.documents("product", ["stock": 1]).first }
            #expect(try await installation.millrace("jobs", "pause", "drain").output == "paused drain\n")
            _ = try await eventually("the lease is given back") {
                try await installation.documents("millrace.leases", ["_id.s": "product", "until": .date(0)]).first
            }
            #expect(try await installation.json("jobs", "show", "drain")["paused"] == true)
            try await Self.stop(service)

            service = try installation.start(["run"])
            try await push("2")
            // When another job has run, the service has looked at them all.
            let ticks = try await installation.documents("millrace.runs", ["job": "tick"]).count
            _ = try await eventually("the other job runs") { try await installation.documents("millrace.runs", ["job": "tick"]).count > ticks ? true : nil }
            #expect(!service.errors.contains("draining"))
            #expect(try await installation.redis("LLEN", installation.list()) == ["1"])
            #expect(try await installation.json("jobs", "resume", "drain")["paused"] == false)
            _ = try await eventually("the second event is applied") { try await installation.documents("product", ["stock": 2]).first }
            try await Self.stop(service)
        }
    }

    @Test func `SIGHUP takes what the files say, unless it is refused`() async throws {
        try await Installation.run { installation in
            let service = try installation.start(["run"])
            _ = try await eventually("it drains") { service.errors.contains("draining") ? true : nil }
            func told(_ word: String, _ count: Int) async throws {
                service.send(1)
                _ = try await eventually("\(word): \(service.errors)") {
                    service.errors.split(separator: "\n").count { $0.contains(word) } >= count ? true : nil
                }
            }
            try installation.write("jobs/hello.yaml", "version: 1\njob: command\nrun: [ echo, hello ]\nevery: 1h\nsometimes: true\n")
            try await told("is refused", 1)
            #expect(service.errors.contains("jobs/hello.yaml:5:1: unknown key"))
            try installation.write("jobs/hello.yaml", "version: 1\njob: command\nrun: [ echo, hello ]\nevery: 1s\n")
            try await told("were read again", 1)
            _ = try await eventually("the new job runs") { try await installation.documents("millrace.runs", ["job": "hello"]).first }

            // A model more: the drain goes over to it, and projects it from the log's beginning.
            try await installation.drain([EventText("1", "stockAdjusted", key: "a", data: ["delta": 5])])
            try installation.write("config/models/second.yaml", Installation.model.replacing("model: product", with: "model: second"))
            try await told("were read again", 2)
            _ = try await eventually("the new model has its document") { try await installation.documents("second", ["stock": 5]).first }
            _ = try await installation.redis("RPUSH", installation.list(), EventText("2", "stockAdjusted", key: "a", data: ["delta": 2]).json)
            for model in ["product", "second"] {
                _ = try await eventually("\(model) goes on") { try await installation.documents(model, ["stock": 7]).first }
            }
            try await Self.stop(service)
        }
    }

    @Test func `SIGHUP takes how long receipts are kept, and says what needs a restart`() async throws {
        try await Installation.run(["jobs/hello.yaml": Self.hello]) { installation in
            func settings(_ more: String) throws {
                try installation.write(
                    "config/millrace.yaml", "version: 1\nstreams: { product: { list: \"\(installation.name):{product}\" } }\n\(more)\n")
            }
            try settings("health: { listen: off }")
            #expect(try await installation.millrace("jobs", "run", "hello").code == 0)
            // As if it had ended two days ago.
            try await installation.command([
                "update": "millrace.runs",
                "updates": [["q": ["job": "hello"], "u": [["$set": ["ended": ["$subtract": ["$ended", .int64(2 * 86_400_000)]]]]]]],
                "writeConcern": ["w": "majority"],
            ])
            let service = try installation.start(["run"], environment: ["MILLRACE_HEALTH_LISTEN": ""])
            _ = try await eventually("it drains") { service.errors.contains("draining") ? true : nil }
            #expect(try await installation.documents("millrace.runs", ["job": "hello"]).count == 1)
            try settings("health: { listen: \"127.0.0.1:0\" }\nruns: { keep: 1d }")
            service.send(1)
            _ = try await eventually("the old receipt goes") {
                try await installation.documents("millrace.runs", ["job": "hello"]).isEmpty ? true : nil
            }
            _ = try await eventually("it says so") { service.errors.contains("needs a restart") ? true : nil }
            try await Self.stop(service)
        }
    }

    @Test func `runners come to have an even share, and leave it to the others`() async throws {
        try await Installation.run(lease: "5s", partitions: 6) { installation in
            /// How many partitions each runner holds, the most first.
            func shares() async throws -> [Int] {
                let held = try await installation.documents("millrace.leases", ["_id.s": "product", "until": ["$gt": .date(0)]])
                return Dictionary(grouping: held) { $0["holder"]?.asString ?? "" }.values.map(\.count).sorted(by: >)
            }
            func expectShares(_ wanted: [Int]) async throws {
                let started = ContinuousClock.now
                // Six leases, and half of the time until a receipt closes.
                _ = try await eventually(within: .seconds(30), "shares \(wanted)") { try await shares() == wanted ? true : nil }
                print("shares \(wanted) after \(ContinuousClock.now - started)")
            }
            let first = try installation.start(["run"])
            try await expectShares([6])
            let second = try installation.start(["run"])
            try await expectShares([3, 3])
            let third = try installation.start(["run"])
            try await expectShares([2, 2, 2])
            try await Self.stop(second)
            try await expectShares([3, 3])
            // Everything pushed is applied, whoever has it.
            let events = (0..<600).map { EventText("\($0)", "stockAdjusted", key: .string("key-\($0 % 60)"), data: ["delta": 1]).json + "\n" }
            #expect(try await installation.millrace("push", "product", input: events.joined()).code == 0)
            first.send(9)
            try await expectShares([6])
            #expect(try await installation.millrace("drain", "--once").code == 0)
            #expect(try await installation.documents("product").map { $0["stock"] } == Array(repeating: 10, count: 60))
            try await Self.stop(third)
        }
    }
}
