import Events
import Foundation
import Models
import Schedules
import Testing

@testable import Definitions

@Suite struct ConfigurationTests {
    @Test func `what is left out has its default`() throws {
        let files = try Files(["millrace.yaml": "version: 1\nstreams:\n  product:\n", "models/product.yaml": goodModel])
        let configuration = try Configuration.load(directory: files.path + "/", jobs: files.path + "/jobs", environment: [:])
        #expect(configuration.redis.url == "redis://127.0.0.1:6379")
        #expect(configuration.mongodb.url == "mongodb://127.0.0.1:27017/?replicaSet=rs0")
        #expect(configuration.mongodb.database == "millrace")
        #expect(configuration.lease == .seconds(10))
        #expect(configuration.streams == [StreamSettings(name: "product")])
        #expect(configuration.models.map(\.name) == ["product"])
        #expect(configuration.jobs.isEmpty)
    }

    @Test func `everything can be said`() throws {
        let main = """
            version: 1
            redis: { url: "unix:///run/redis.sock?db=2" }
            mongodb: { url: "mongodb+srv://u:p@example.net/?w=majority", database: other }
            lease: 2m
            runs: { keep: 90d }
            health: { listen: "[::1]:0" }
            api: { listen: "0.0.0.0:80", rate: 500, concurrency: 7, deadline: 3s, connections: 9 }
            streams:
              zebra: { list: "z", format: cloudevents }
              rows: { format: debezium, keys: { products: $row.id, "order lines": $after.order.id }, outbox: outbox, types: { row.at: epochMicros } }
              apple:
                list: events:{apple}s
                partitions: 3
                key: $data.flightId
                format: { eventId: /meta/id, eventType: "/a~1b/0", occurredAt: /ts, schemaVersion: /v, data: "" }
                types: { occurredAt: epochMillis, data.at: date, data.lines.day: epochDays }
                dedupe: { window: 2d, events: 10 }
                chunk: { events: 7, bytes: 65536 }
                maxEventBytes: 2kB

            """
        let model = goodModel.replacing("stream: product", with: "stream: apple")
        let jobs = "version: 1\njob: drain\nstreams: [ zebra, apple ]\npoll: 5ms\nevery: 2h\n"
        let files = try Files(["millrace.yaml": main, "models/b.yaml": model, "models/notes.txt": "x", "models/.#b.yaml": "x", "jobs/all.yaml": jobs])
        let configuration = try Configuration.load(directory: files.path, jobs: files.path + "/jobs", environment: [:])
        #expect(configuration.redis.url == "unix:///run/redis.sock?db=2")
        #expect(configuration.mongodb.url == "mongodb+srv://u:p@example.net/?w=majority")
        #expect(configuration.mongodb.database == "other")
        #expect(configuration.lease == .seconds(120))
        #expect(configuration.keepRuns == .seconds(90 * 86_400))
        #expect(configuration.healthListen == .at(host: "::1", port: 0))
        #expect(configuration.api.listen == .at(host: "0.0.0.0", port: 80))
        #expect(configuration.api.rate == 500 && configuration.api.concurrency == 7)
        #expect(configuration.api.deadline == .seconds(3) && configuration.api.connections == 9)
        #expect(configuration.streams.map(\.name) == ["apple", "rows", "zebra"])
        var rows = StreamSettings(name: "rows")
        rows.shape = EventShape(format: .debezium(DebeziumFormat(outbox: "outbox")), types: try #require(TypeTree([(["row", "at"], .epochMicros)])))
        rows.key = .tables(["products": ["row", "id"], "order lines": ["after", "order", "id"]])
        #expect(configuration.stream("rows") == rows)
        var apple = StreamSettings(name: "apple")
        apple.list = "events:{apple}s"
        apple.partitions = 3
        apple.key = .path(["data", "flightId"])
        var pointers = EventPointers(eventId: try #require(JSONPointer("/meta/id")), eventType: try #require(JSONPointer("/a~1b/0")))
        pointers.occurredAt = JSONPointer("/ts")
        pointers.schemaVersion = JSONPointer("/v")
        pointers.data = JSONPointer("")
        apple.shape.format = .pointers(pointers)
        apple.shape.types = try #require(
            TypeTree([(["occurredAt"], .epochMillis), (["data", "at"], .date), (["data", "lines", "day"], .epochDays)]))
        #expect(configuration.stream("zebra")?.shape == EventShape(format: .cloudEvents))
        apple.dedupeWindow = .seconds(2 * 86400)
        apple.dedupeEvents = 10
        apple.chunkEvents = 7
        apple.chunkBytes = .kibibytes(64)
        apple.maxEventBytes = ByteCount(2000)
        #expect(configuration.stream("apple") == apple)
        #expect(configuration.models(of: "apple").count == 1)
        var drain = JobDefinition.Drain(streams: ["apple", "zebra"])
        drain.poll = .milliseconds(5)
        drain.every = .seconds(7200)
        #expect(configuration.jobs == [JobDefinition(name: "all", work: .drain(drain))])
    }

    @Test(arguments: ["config", "bench/config", "Tests/Faults/config"])
    func `the configurations of this repository load`(directory: String) throws {
        let configuration = try Configuration.load(directory: root + directory, jobs: root + "jobs", environment: [:])
        #expect(configuration.models.map(\.stream) == configuration.streams.map(\.name))
        #expect(configuration.jobs.map(\.name) == ["drain", "month-end", "reconcile", "snapshot"])
        #expect(configuration.jobs.first == JobDefinition(name: "drain", work: .drain(JobDefinition.Drain(streams: configuration.streams.map(\.name)))))
    }

    @Test func `the environment goes before the file`() throws {
        let files = try Files(["millrace.yaml": goodMain, "models/product.yaml": goodModel])
        let environment = [
            "MILLRACE_REDIS_URL": "redis://u:p@r:1/3", "MILLRACE_MONGODB_URL": "mongodb://a,b:2/?replicaSet=x", "MILLRACE_MONGODB_DATABASE": "test",
        ]
        let configuration = try #require(files.check(environment).configuration)
        #expect(configuration.redis.url == "redis://u:p@r:1/3")
        #expect(configuration.mongodb.url == "mongodb://a,b:2/?replicaSet=x")
        #expect(configuration.mongodb.database == "test")
        #expect(configuration.healthListen == nil)
        #expect(files.check(["MILLRACE_HEALTH_LISTEN": "off"]).configuration?.healthListen == .off)
        #expect(configuration.api == APISettings())
        #expect(files.check(["MILLRACE_API_LISTEN": "off"]).configuration?.api.listen == .off)
        #expect(files.check(["MILLRACE_API_LISTEN": "here"]).problems.map(\.file) == ["MILLRACE_API_LISTEN"])
    }

    @Test func `an empty variable counts as unset`() throws {
        let files = try Files(["millrace.yaml": goodMain, "models/product.yaml": goodModel])
        let environment = ["MILLRACE_REDIS_URL": "", "MILLRACE_MONGODB_URL": "", "MILLRACE_MONGODB_DATABASE": ""]
        let configuration = try #require(files.check(environment).configuration)
        #expect(configuration.redis.url == Configuration.Redis().url)
        #expect(configuration.mongodb.database == "millrace")
    }

    @Test func `a URL of the file that the environment overrides may be any`() throws {
        let files = try Files(["millrace.yaml": goodMain + "redis: { url: rediss://elsewhere }\n", "models/product.yaml": goodModel])
        #expect(files.problems().count == 1)
        #expect(files.problems(["MILLRACE_REDIS_URL": "redis://here"]) == [])
    }

    @Test func `problems of the environment name the variable`() throws {
        let files = try Files(["millrace.yaml": goodMain, "models/product.yaml": goodModel])
        let found = files.problems([
            "MILLRACE_REDIS_URL": ":sesame@h:1", "MILLRACE_MONGODB_URL": "mongodb://u:sesame@h/?w=0&journal=false",
            "MILLRACE_MONGODB_DATABASE": "admin",
        ])
        #expect(
            found == [
                "MILLRACE_REDIS_URL: \":***@h:1\": the URL of Redis is not valid: it must begin with redis:// or unix://",
                "MILLRACE_MONGODB_URL: \"mongodb://u:***@h/?w=0&journal=false\": w other than majority loses acknowledged writes in a failover — leave w out",
                "MILLRACE_MONGODB_URL: \"mongodb://u:***@h/?w=0&journal=false\": journal=false acknowledges what a crash loses — leave journal out",
                "MILLRACE_MONGODB_DATABASE: \"admin\": must not be one of MongoDB's own databases admin, local and config",
            ]
        )
    }

    @Test func `a directory that is not there is told of once for each file`() throws {
        let files = try Files([:])
        #expect(
            files.problems() == [
                "millrace.yaml: there is no such file",
                "models: there is no such directory — create it, and put a model such as product.yaml into it",
            ]
        )
    }

    @Test func `files that cannot be read are told of`() throws {
        let files = try Files([
            "millrace.yaml": goodMain, "models/a.yaml/x": "", "models/b.yaml": "", "models/c.yml": goodModel, "models/d.YAML": goodModel,
            "models/e.yaml": String(repeating: "#", count: 1 << 20) + "\n", "jobs": "x",
        ])
        try Data([0x61, 0x0A, 0xFF]).write(to: URL(filePath: files.path + "/models/f.yaml"))
        #expect(mkfifo(files.path + "/models/g.yaml", 0o600) == 0)
        #expect(
            files.problems() == [
                "models: \"c.yml\" would not be read: only files that end in .yaml are — rename it",
                "models: \"d.YAML\" would not be read: only files that end in .yaml are — rename it",
                "models/a.yaml: is a directory, expected a file",
                "models/b.yaml: is empty — begin with version: 1",
                "models/e.yaml: is larger than 1MiB",
                "models/f.yaml:2: is not UTF-8 text",
                "models/g.yaml: is not a regular file",
                "jobs: is a file, expected a directory",
            ]
        )
    }

    @Test func `models must have names of their own and streams that there are`() throws {
        let files = try Files([
            "millrace.yaml": goodMain, "models/a.yaml": goodModel, "models/b.yaml": goodModel,
            "models/c.yaml": goodModel.replacing("product", with: "prodct"),
        ])
        #expect(
            files.problems() == [
                "models/b.yaml:2:8: model \"product\" is defined a second time, first in models/a.yaml:2:8",
                "models/c.yaml:3:9: unknown stream \"prodct\" — did you mean \"product\"?",
            ]
        )
    }

    @Test func `streams that could not be read are not looked for`() throws {
        let files = try Files([
            "millrace.yaml": "version: 1\nstreams: [\n", "models/a.yaml": goodModel, "jobs/a.yaml": "version: 1\njob: drain\nstreams: [ x ]\n",
        ])
        #expect(files.check().problems.count == 1)
    }

    @Test func `check gives a summary`() throws {
        let files = try Files(["millrace.yaml": goodMain, "models/a.yaml": goodModel, "jobs/drain.yaml": "version: 1\njob: drain\n"])
        let check = files.check()
        let model = try #require(check.configuration?.models.first)
        #expect(check.summary.streams == [.init(name: "product", list: "events:{product}", partitions: 1)])
        #expect(check.summary.models == [.init(name: "product", stream: "product", class: .keyed, eventTypes: ["created"], foldHash: model.foldHash)])
        #expect(check.summary.jobs == ["drain"])
    }

    static let jobs = [
        Mistake("version: 1\njob: drian\n", 2, 6, "unknown job \"drian\" — did you mean \"drain\"?"),
        Mistake("version: 1\npoll: 1s\n", 1, 1, "job: is missing"),
        Mistake("job: drain\n", 1, 1, "version: is missing"),
        Mistake("version: 2\njob: drain\n", 1, 10, "the file is of version 2"),
        Mistake("version: 1\njob: drain\npol: 1s\n", 3, 1, "unknown key \"pol\" — did you mean \"poll\"?"),
        Mistake("version: 1\njob: drain\npoll: 2m\n", 3, 7, "poll: must be a duration from 1ms to 1m, found 2m"),
        Mistake("version: 1\njob: drain\nevery: 500ms\n", 3, 8, "every: must be a duration from 1s to 1d, found 500ms"),
        Mistake("version: 1\njob: drain\nstreams: product\n", 3, 10, "streams: must be a list of at least one stream, found \"product\""),
        Mistake("version: 1\njob: drain\nstreams: []\n", 3, 10, "found an empty list"),
        Mistake("version: 1\njob: drain\nstreams: [ prodct ]\n", 3, 12, "unknown stream \"prodct\" — did you mean \"product\"?"),
        Mistake("version: 1\njob: drain\nstreams: [ product, product ]\n", 3, 21, "\"product\" is named twice"),
        Mistake("version: 1\njob: drain\nenabled: no\n", 3, 10, "enabled: must be true or false, found \"no\""),
        Mistake("version: 1\njob: drain\nfrom: [ a ]\n", 3, 1, "unknown key \"from\""),
        Mistake("version: 1\njob: brigde\n", 2, 6, "unknown job \"brigde\" — did you mean \"bridge\"?"),
        Mistake("version: 1\njob: bridge\nto: product\n", 1, 1, "from: is missing"),
        Mistake("version: 1\njob: bridge\nfrom: [ a ]\n", 1, 1, "to: is missing"),
        Mistake("version: 1\njob: bridge\nfrom: a\nto: product\n", 3, 7, "from: must be a list of at least one Redis stream, found \"a\""),
        Mistake("version: 1\njob: bridge\nfrom: [ a, a ]\nto: product\n", 3, 12, "\"a\" is named twice"),
        Mistake("version: 1\njob: bridge\nfrom: [ a ]\nto: prodct\n", 4, 5, "unknown stream \"prodct\" — did you mean \"product\"?"),
        Mistake("version: 1\njob: bridge\nfrom: [ a ]\nto: product\ntrim: maybe\n", 5, 7, "trim: must be true or false, found \"maybe\""),
        Mistake("version: 1\njob: bridge\nfrom: [ a ]\nto: product\npoll: 1s\n", 5, 1, "unknown key \"poll\""),
        Mistake("version: 1\njob: command\nevery: 1h\n", 1, 1, "run: is missing"),
        Mistake("version: 1\njob: command\nevery: 1h\nrun: date\n", 4, 6, "run: must be a list of a program and its arguments, found \"date\""),
        Mistake("version: 1\njob: command\nevery: 1h\nrun: []\n", 4, 6, "found an empty list"),
        Mistake("version: 1\njob: command\nevery: 1h\nrun: [ sleep, 5 ]\n", 4, 15, "run: must be a string, found 5"),
        Mistake("version: 1\njob: command\nrun: [ date ]\n", 1, 1, "every: or cron: is missing"),
        Mistake("version: 1\njob: command\nrun: [ date ]\nevery: 1h\ncron: \"* * * * *\"\n", 5, 7, "cron: and every: cannot both be said"),
        Mistake("version: 1\njob: command\nrun: [ date ]\nevery: 1h\ntimezone: UTC\n", 5, 11, "timezone: is for cron:"),
        Mistake("version: 1\njob: command\nrun: [ date ]\nevery: 2d\n", 4, 8, "every: must be a duration from 1s to 1d, found 2d"),
        Mistake("version: 1\njob: command\nrun: [ date ]\ncron: \"* * * *\"\n", 4, 7, "has 4 fields"),
        Mistake("version: 1\njob: command\nrun: [ date ]\ncron: \"61 * * * *\"\n", 4, 7, "\"61\" is no minute: 0 to 59, ranges"),
        Mistake("version: 1\njob: command\nrun: [ date ]\ncron: \"0 0 30 feb *\"\n", 4, 7, "names no day that ever comes"),
        Mistake("version: 1\njob: command\nrun: [ date ]\ncron: \"* * * * *\"\ntimezone: Berlin\n", 5, 11, "there is no time zone \"Berlin\""),
        Mistake("version: 1\njob: command\nrun: [ date ]\nevery: 1h\noverlap: wait\n", 5, 10, "overlap: must be skip or queue, found \"wait\""),
        Mistake("version: 1\njob: command\nrun: [ date ]\nevery: 1h\nmissed: all\n", 5, 9, "missed: must be once or skip, found \"all\""),
        Mistake("version: 1\njob: command\nrun: [ date ]\nevery: 1h\nretries: 11\n", 5, 10, "retries: must be an integer from 0 to 10, found 11"),
        Mistake("version: 1\njob: command\nrun: [ date ]\nevery: 1h\ntimeout: 8d\n", 5, 10, "timeout: must be a duration from 1s to 7d, found 8d"),
        Mistake("version: 1\njob: command\nrun: [ date ]\nevery: 1h\njitter: 2d\n", 5, 9, "jitter: must be a duration from 0ms to 1d, found 2d"),
        Mistake("version: 1\njob: reconcile\nevery: 1h\nmodels: [ prodct ]\n", 4, 11, "unknown model \"prodct\" — did you mean \"product\"?"),
        Mistake("version: 1\njob: reconcile\nrepair: true\n", 1, 1, "every: or cron: is missing"),
        Mistake("version: 1\njob: reconcile\nevery: 1h\nrepair: all\n", 4, 9, "repair: must be true or false, found \"all\""),
        Mistake("version: 1\njob: reconcile\nevery: 1h\ntruth: sorce\n", 4, 8, "truth: must be log or source, found \"sorce\" — did you mean \"source\"?"),
        Mistake("version: 1\njob: reconcile\nevery: 1h\nsample: 0%\n", 4, 9, "sample: must be more than 0% and 100% at most, found 0%"),
        Mistake("version: 1\njob: reconcile\nevery: 1h\nsample: 5\n", 4, 9, "sample: must be a string, found 5"),
        Mistake("version: 1\njob: reconcile\nevery: 1h\nmaxChange: -1\n", 4, 12, "maxChange: must be an integer from 0"),
        Mistake("version: 1\njob: reconcile\nevery: 1h\nthrottle: 0\n", 4, 11, "throttle: must be an integer from 1"),
        Mistake("version: 1\njob: reconcile\nevery: 1h\nalertAbove: few\n", 4, 13, "alertAbove: must be an integer from 0"),
        Mistake("version: 1\njob: reconcile\nevery: 1h\nkeep: 3\n", 4, 1, "unknown key \"keep\""),
        Mistake("version: 1\njob: snapshot\nevery: 1d\nkeep: 0\n", 4, 7, "keep: must be an integer from 1 to 10000, found 0"),
        Mistake("version: 1\njob: snapshot\nevery: 1d\nat: noon\n", 4, 5, "at: must be now or month-end, found \"noon\""),
        Mistake("version: 1\njob: prune\nevery: 1d\n", 1, 1, "acceptNoRebuild: true or fromSource: true is missing"),
        Mistake("version: 1\njob: prune\nevery: 1d\nacceptNoRebuild: false\n", 1, 1, "acceptNoRebuild: true or fromSource: true is missing"),
        Mistake("version: 1\njob: prune\nevery: 1d\nfromSource: maybe\n", 4, 13, "fromSource: must be true or false, found \"maybe\""),
        Mistake("version: 1\njob: prune\nacceptNoRebuild: true\n", 1, 1, "every: or cron: is missing"),
        Mistake("version: 1\njob: prune\nevery: 1d\nfromSource: true\nstreams: [ prodct ]\n", 5, 12, "unknown stream \"prodct\""),
        Mistake("version: 1\njob: rebuild\nevery: 1d\n", 1, 1, "models: is missing"),
        Mistake("version: 1\njob: rebuild\nevery: 1d\nmodels: [ product ]\nkeep: 2y\n", 5, 7, "keep: must be a duration from 0ms to 365d, found \"2y\""),
        Mistake("version: 1\njob: command\nrun: [ date ]\nevery: 1h\nstreams: [ product ]\n", 5, 1, "unknown key \"streams\""),
    ]

    @Test(arguments: jobs)
    func `mistakes in a job are found where they are`(mistake: Mistake) throws {
        let findings = Findings(file: "drain.yaml")
        #expect(JobReader(findings: findings, streams: ["product"], models: ["product"]).read(mistake.source, name: "drain") == nil)
        let problem = try #require(findings.problems.first)
        #expect(findings.problems.count == 1)
        #expect(problem.description.contains(mistake.fragment), "\(problem)")
        #expect((problem.line, problem.column) == (mistake.line, mistake.column), "\(problem)")
    }

    @Test func `a job says when it runs`() throws {
        func job(_ source: String) throws -> JobDefinition {
            let reader = JobReader(findings: Findings(file: "a.yaml"), streams: [], models: [])
            return try #require(reader.read("version: 1\njob: command\nrun: [ date ]\n" + source, name: "a"))
        }
        let hourly = try job("every: 1h\n")
        #expect(hourly == JobDefinition(name: "a", work: .command(.init(words: ["date"])), timetable: Timetable(.every(.seconds(3600)))))
        let nightly = try job(
            "cron: \"30 2 * * mon-fri\"\ntimezone: Europe/Berlin\njitter: 5m\ntimeout: 2h\noverlap: queue\nmissed: skip\nretries: 3\nenabled: false\n")
        var timetable = Timetable(.cron(try Cron("30 2 * * mon-fri", in: try #require(Zone("Europe/Berlin")))))
        (timetable.jitter, timetable.timeout, timetable.retries) = (.seconds(300), .seconds(7200), 3)
        (timetable.overlap, timetable.missed) = (.queue, .skip)
        #expect(nightly.timetable == timetable && !nightly.isEnabled)
    }

    @Test func `one job drains a stream`() throws {
        let drain = "version: 1\njob: drain\n"
        let files = try Files([
            "millrace.yaml": goodMain, "models/a.yaml": goodModel, "jobs/a.yaml": drain, "jobs/b.yaml": drain, "jobs/1.yaml": drain,
        ])
        #expect(
            files.problems() == [
                "jobs/1.yaml: \"1\" cannot be the name of a job: 1 to 64 letters, digits, _ and -, the first a letter",
                "jobs/b.yaml: stream \"product\" is drained by job a already",
            ]
        )
    }

    private static let rows = "version: 1\nstreams: { product: { format: debezium }, order: {} }\n"

    @Test func `a bridge says what it reads, as whom, and whether it trims`() throws {
        let bridge = "version: 1\njob: bridge\nfrom: [ shop.public.products, shop.public.prices ]\nto: product\ngroup: mine\ntrim: true\n"
        let files = try Files([
            "millrace.yaml": Self.rows, "models/a.yaml": goodModel, "jobs/a.yaml": bridge,
            "jobs/b.yaml": "version: 1\njob: bridge\nfrom: [ other ]\nto: product\n",
        ])
        #expect(files.problems() == [])
        var expected = JobDefinition.Bridge(sources: ["shop.public.products", "shop.public.prices"], stream: "product")
        expected.group = "mine"
        expected.trim = true
        let other = JobDefinition.Bridge(sources: ["other"], stream: "product")
        #expect((other.group, other.trim) == ("millrace", false))
        #expect(files.check().configuration?.jobs == [JobDefinition(name: "a", work: .bridge(expected)), JobDefinition(name: "b", work: .bridge(other))])
    }

    @Test func `one bridge of a group reads a Redis stream, and pushes what its stream can read`() throws {
        func bridge(_ more: String) -> String { "version: 1\njob: bridge\nfrom: [ rows ]\n" + more }
        let files = try Files([
            "millrace.yaml": Self.rows, "models/a.yaml": goodModel, "jobs/a.yaml": bridge("to: product\n"), "jobs/b.yaml": bridge("to: order\n"),
            "jobs/c.yaml": bridge("to: product\ngroup: others\n"),
        ])
        #expect(
            files.problems() == [
                "jobs/b.yaml: stream \"order\" cannot take what a bridge pushes — give it format: debezium",
                "jobs/b.yaml: Redis stream \"rows\" is read by job a already, as group \"millrace\"",
            ]
        )
    }

    @Test func `a job that is switched off is none, may name what is not there, and is read all the same`() throws {
        let off = "version: 1\njob: bridge\nenabled: false\nfrom: [ rows ]\nto: nowhere\n"
        let files = try Files(["millrace.yaml": goodMain, "models/a.yaml": goodModel, "jobs/a.yaml": off, "jobs/b.yaml": off + "tirm: true\n"])
        #expect(files.problems() == ["jobs/b.yaml:6:1: unknown key \"tirm\" — did you mean \"trim\"?"])
        #expect(files.check().summary.jobs == [])
    }
}
