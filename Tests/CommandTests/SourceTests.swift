import EventFixtures
import Fixtures
import Foundation
import Testing
import Values

/// Documents that are not what a source of truth says are corrected by events, which the drain takes like any other.
@Suite(.serialized) struct SourceTests {
    /// - Parameter origin: the line of `source:` that says where the rows come from.
    private static func model(_ origin: String, settle: String = "200ms") -> [String: String] {
        let source = """
            source:
              \(origin)
              event: { type: productRenamed, key: $row.id, data: { name: $row.name } }
              settle: \(settle)

            """
        return ["config/models/product.yaml": Installation.model + source]
    }

    private static func shell(_ script: String) -> String { "command: [ sh, -c, \(JSON.write(.string(script))) ]" }

    private static func start(_ installation: Installation) async throws {
        try await installation.drain((0..<5).map { EventText("\($0)", "productRenamed", key: .string("k\($0)"), data: ["name": .string("name \($0)")]) })
    }

    /// One document is another, and one is missing.
    private static let rows = """
        {"id":"k0","name":"name 0"}
        {"id":"k1","name":"another","internal":true}
        {"id":"new","name":"a new one"}

        """

    /// What a reconcile says of the source.
    private static func reconcile(_ installation: Installation, _ options: String..., code: Int32) async throws -> Document {
        let ended = try await installation.start(["reconcile", "product", "--json"] + options).ended()
        guard ended.code == code, case .document(let document) = try JSONText.parse(ended.output.trimmingSuffix("\n")).get() else {
            throw Failure("\(options): exit code \(ended.code), \(ended.output) \(ended.errors)")
        }
        let model = try #require(document["models"]?.asDocument?["product"]?.asDocument)
        let drift = (model["drift"]?.asArray ?? []).compactMap(\.asDocument).filter { $0["truth"] == "source" }
        let source = try #require(model["source"]?.asDocument)
        return Document(source.fields + [Document.Field("drift", .array(drift.map(Value.document)))])
    }

    private static func counts(_ source: Document) -> [Int64?] {
        ["rows", "missing", "different", "passing", "refused", "corrected"].map { source[$0]?.asInteger }
    }

    private static func names(_ installation: Installation) async throws -> [String: String] {
        Dictionary(
            try await installation.documents("product@1").map { ($0["_id"]?.asString ?? "", $0["name"]?.asString ?? "") }, uniquingKeysWith: { $1 })
    }

    private static func corrections(_ installation: Installation) async throws -> [Document] {
        try await installation.jsonLines("events", "product").filter { line in
            (line["event"] ?? line["element"])?.asDocument?["origin"] == "millrace.corrected"
        }
    }

    private static let origins = [
        shell("cat rows.ndjson"), "file: rows.ndjson", "collection: truth",
        "collection: { name: truth, pipeline: [ { $match: { id: { $exists: true } } }, { $set: { _id: { $toString: $_id } } } ] }",
    ]

    @Test(arguments: origins, [1, 3]) func `what differs in two looks is corrected by an event`(origin: String, partitions: Int) async throws {
        try await Installation.run(partitions: partitions, Self.model(origin)) { installation in
            try installation.write("rows.ndjson", Self.rows)
            let rows = Self.rows.split(separator: "\n").compactMap { try? JSONText.parse(String($0)).get() }
            try await installation.command(["insert": "truth", "documents": .array(rows)])
            try await Self.start(installation)
            let before = try await Self.names(installation)

            let report = try await Self.reconcile(installation, code: 1)
            #expect(Self.counts(report) == [3, 1, 1, 0, 0, 0] && report["outcome"] == "drift")
            let drift = report["drift"]?.asArray?.compactMap { $0.asDocument?["_id"]?.asString }.sorted()
            #expect(drift == ["k1", "new"])
            let text = try await installation.millrace("reconcile", "product", "--last")
            #expect(text.output.contains(#"product k1: different by its source of truth; name: found "name 1", expected "another""#), "\(text.output)")
            _ = try await installation.json("drain", "--once")
            #expect(try await Self.names(installation) == before)

            let declined = try await Self.reconcile(installation, "--repair", "--max-change", "1", code: 1)
            #expect(Self.counts(declined) == [3, 1, 1, 0, 0, 0] && declined["outcome"] == "declined")
            _ = try await installation.json("drain", "--once")
            #expect(try await Self.names(installation) == before)

            let one = try await Self.reconcile(installation, "--id", "k1", "--truth", "source", code: 1)
            #expect(Self.counts(one) == [1, 0, 1, 0, 0, 0])
            let repaired = try await Self.reconcile(installation, "--repair", code: 1)
            #expect(Self.counts(repaired) == [3, 1, 1, 0, 0, 2] && repaired["outcome"] == "corrected")
            // It is pushed and nothing else.
            #expect(try await Self.names(installation) == before)
            _ = try await installation.json("drain", "--once")
            #expect(try await Self.names(installation) == before.merging(["k1": "another", "new": "a new one"]) { $1 })
            let clean = try await Self.reconcile(installation, "--repair", code: 0)
            #expect(Self.counts(clean) == [3, 0, 0, 0, 0, 0] && clean["outcome"] == "clean")
            #expect(try await Self.corrections(installation).count == 2)
            let outcomes = try await installation.json("runs", "list", "--kind", "reconcile")["runs"]?.asArray?.compactMap {
                $0.asDocument?["outcome"]?.asString
            }
            #expect(outcomes == ["good", "not-good", "not-good", "not-good", "not-good"])
        }
    }

    @Test func `what has changed between the looks is no drift`() async throws {
        let changing = Self.shell(
            #"if [ -n "$MILLRACE_IDS" ]; then echo "$MILLRACE_IDS" > ids; name=second; else name=first; fi; echo "{\"id\":\"k1\",\"name\":\"$name\"}""#)
        try await Installation.run(Self.model(changing)) { installation in
            try await Self.start(installation)
            #expect(Self.counts(try await Self.reconcile(installation, "--repair", code: 0)) == [1, 0, 0, 1, 0, 0])
            #expect(try String(contentsOf: installation.directory.appending(path: "ids"), encoding: .utf8) == "[\"k1\"]\n")
        }
        let gone = Self.shell(#"if [ -z "$MILLRACE_IDS" ]; then cat rows.ndjson; fi"#)
        try await Installation.run(Self.model(gone)) { installation in
            try installation.write("rows.ndjson", Self.rows)
            try await Self.start(installation)
            #expect(Self.counts(try await Self.reconcile(installation, "--repair", code: 0)) == [3, 0, 0, 2, 0, 0])
        }
        // The last of contradicting rows is what the document is.
        try await Installation.run(Self.model("file: rows.ndjson")) { installation in
            try installation.write("rows.ndjson", #"{"id":"k1","name":"x"}"# + "\n" + #"{"id":"k1","name":"name 1"}"#)
            try await Self.start(installation)
            #expect(Self.counts(try await Self.reconcile(installation, "--repair", code: 0)) == [2, 0, 0, 1, 0, 0])
        }
    }

    @Test func `a document that moves between the looks is no drift, nor is one that events wait for`() async throws {
        try await Installation.run(Self.model(Self.shell("cat rows.ndjson; touch looked"), settle: "6s")) { installation in
            try installation.write("rows.ndjson", Self.rows)
            try await Self.start(installation)
            let child = try installation.start(["reconcile", "product", "--repair", "--json"])
            _ = try await eventually("the first look is over") {
                FileManager.default.fileExists(atPath: installation.directory.appending(path: "looked").path) ? true : nil
            }
            // There and back: the difference is the same, but for the position.
            try await installation.drain(["moved", "name 1"].map { EventText($0, "productRenamed", key: "k1", data: ["name": .string($0)]) })
            let ended = try await child.ended()
            #expect(ended.code == 1 && ended.output.contains(#""missing":1,"extra":0,"different":0,"passing":1"#), "\(ended.output) \(ended.errors)")
        }
        try await Installation.run(Self.model("file: rows.ndjson")) { installation in
            try installation.write("rows.ndjson", Self.rows)
            try await Self.start(installation)
            _ = try await installation.millrace("push", "product", input: EventText("7", "productRenamed", key: "k1", data: ["name": "another"]).json + "\n")
            let ended = try await installation.millrace("reconcile", "product", "--repair")
            #expect(ended.code == 75 && ended.errors.contains("not-caught-up: events of product/0 wait to be applied"), "\(ended.code) \(ended.errors)")
            _ = try await installation.json("drain", "--once")
            #expect(Self.counts(try await Self.reconcile(installation, code: 1)) == [3, 1, 0, 0, 0, 0])
        }
    }

    @Test(arguments: ["drift-reported:1", "corrections-pushed:1", "corrections-pushed:2"])
    func `a reconcile that is killed while it pushes is finished by the next, and each correction counts once`(point: String) async throws {
        try await Installation.run(lease: "1s", partitions: 2, Self.model("file: rows.ndjson")) { installation in
            let rows = (0..<600).map { #"{"id":"n\#($0)","name":"\#($0)"}"# }
            try installation.write("rows.ndjson", rows.joined(separator: "\n"))
            try await Self.start(installation)
            let options = ["reconcile", "product", "--repair", "--max-change", "600", "--json"]
            let killed = try await installation.start(options, environment: ["MILLRACE_CRASH_AT": point]).ended()
            #expect(killed.code == 128 + SIGKILL, "\(killed.errors)")
            _ = try await installation.json("drain", "--once")
            let ended = try await eventually("the dead one's lease has run out") {
                let ended = try await installation.start(options).ended()
                return ended.code == 75 ? nil : ended
            }
            #expect(ended.code == (point == "corrections-pushed:2" ? 0 : 1), "\(ended.errors)")
            _ = try await installation.json("drain", "--once")
            #expect(Self.counts(try await Self.reconcile(installation, code: 0)) == [600, 0, 0, 0, 0, 0])
            #expect(try await Self.corrections(installation).count == 600)
        }
    }

    @Test func `a source that fails changes nothing`() async throws {
        let failures = [
            (Self.shell("cat rows.ndjson; echo it is broken >&2; exit 3"), "ended with exit code 3:\nit is broken"),
            (Self.shell("cat rows.ndjson; echo loading"), "bad-input: row 4 of the source of truth: it is no JSON: bad-json: loading"),
            (Self.shell(#"[ -n "$MILLRACE_IDS" ] && exit 4; cat rows.ndjson"#), "ended with exit code 4"),
            (Self.shell("true"), "bad-input: the source of truth of product has no rows: is it the right one?"),
            ("file: nowhere.ndjson", "nowhere.ndjson cannot be read"), ("command: [ ./nothing ]", "./nothing cannot be started"),
            ("collection: { name: truth, pipeline: [ { $nothing: 1 } ] }", "$nothing"),
        ]
        for (origin, word) in failures {
            try await Installation.run(Self.model(origin)) { installation in
                try installation.write("rows.ndjson", Self.rows)
                try await Self.start(installation)
                let ended = try await installation.millrace("reconcile", "product", "--repair")
                #expect(ended.code != 0 && ended.code != 70 && ended.errors.contains(word), "\(origin): \(ended.code) \(ended.errors)")
                #expect(try await installation.json("drain", "--once")["received"] == 0)
                // What the log has shown is reported all the same.
                #expect(try await installation.json("reconcile", "product", "--last")["models"]?.asDocument?["product"]?.asDocument?["outcome"] == "clean")
                #expect(try await installation.json("reconcile", "product", "--truth", "log")["models"]?.asDocument?["product"]?.asDocument?["source"] == nil)
            }
        }
    }

    @Test func `rows of no use are counted and named`() async throws {
        try await Installation.run(Self.model("file: rows.ndjson")) { installation in
            try installation.write(
                "rows.ndjson", Self.rows + #"{"name":"no key"}"# + "\n" + #"{"id":"k3"}"# + "\n" + #"{"id":"k4","name":"x"}, "data": {"x":1}"#)
            try await Self.start(installation)
            let torn = try await installation.millrace("reconcile", "product")
            #expect(torn.code == 65 && torn.errors.contains("row 6 of the source of truth: it is no JSON"), "\(torn.errors)")
            try installation.write("rows.ndjson", Self.rows + #"{"name":"no key"}"# + "\n" + #"{"id":"k3"}"#)
            #expect(Self.counts(try await Self.reconcile(installation, code: 1)) == [4, 1, 1, 0, 2, 0])
            let ended = try await installation.millrace("reconcile", "product")
            #expect(ended.errors.contains("no-key: row 4 of the source of truth: its event has no key"), "\(ended.errors)")
            #expect(ended.errors.contains("missing-value: the row of k3: $set: the value for name is missing"), "\(ended.errors)")
        }
    }

    @Test func `a command that is interrupted ends, and takes its program with it`() async throws {
        try await Installation.run(Self.model(Self.shell("echo $$ > pid; sleep 600"))) { installation in
            try await Self.start(installation)
            let child = try installation.start(["reconcile", "product"])
            let pid = try await eventually("the program runs") { () async throws -> pid_t? in
                (try? String(contentsOf: installation.directory.appending(path: "pid"), encoding: .utf8)).flatMap { pid_t($0.trimmingSuffix("\n")) }
            }
            child.send(SIGINT)
            #expect(try await child.ended().code == 130)
            #expect(kill(pid, 0) == -1)
        }
    }

    @Test func `a job compares with the source alone, and the drain of the service takes what it pushes`() async throws {
        let job = "version: 1\njob: reconcile\nevery: 1s\ntruth: source\nrepair: true\n"
        try await Installation.run(Self.model("file: rows.ndjson").merging(["jobs/source.yaml": job]) { $1 }) { installation in
            try installation.write("rows.ndjson", Self.rows)
            try await Self.start(installation)
            let service = try installation.start(["run"])
            let run = try await eventually("a run has corrected it") {
                try await installation.documents("millrace.runs", ["job": "source", "sums.corrected": 2]).first
            }
            #expect(run["outcome"] == "not-good" && run["sums"]?.number("drifted") == 2 && run["sums"]?.number("rows") == 3)
            _ = try await eventually("the next run is clean") {
                try await installation.documents("millrace.jobs", ["_id": "source", "last.verdict": "good"]).first
            }
            #expect(try await Self.names(installation)["new"] == "a new one")
            service.send(15)
            let ended = try await service.ended(within: .seconds(30))
            #expect(ended.code == 0, "\(ended.errors)")
            #expect(try await Self.corrections(installation).count == 2)
        }
    }

    @Test func `many keys are asked for in several runs, and very many in none`() async throws {
        let counting = Self.shell("echo run >> runs; [ -n \"$MILLRACE_IDS\" ] && echo ask >> runs; cat rows.ndjson")
        for (count, runs) in [(2500, ["run", "run", "ask", "run", "ask", "run", "ask"]), (11_000, ["run", "run"])] {
            try await Installation.run(Self.model(counting)) { installation in
                try installation.write("rows.ndjson", (0..<count).map { #"{"id":"n\#($0)","name":"\#($0)"}"# }.joined(separator: "\n"))
                try await Self.start(installation)
                let found = try await Self.reconcile(installation, code: 1)
                #expect(Self.counts(found) == [Int64(count), Int64(count), 0, 0, 0, 0])
                let text = try String(contentsOf: installation.directory.appending(path: "runs"), encoding: .utf8)
                #expect(text.split(separator: "\n").map(String.init) == runs, "\(count)")
            }
        }
    }
}
