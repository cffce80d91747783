import Fixtures
import Foundation
import Testing
import Values

/// The configurations of `config/samples`: what each makes of generated events is what an oracle makes of their history.
@Suite(.serialized) struct SamplesTests {
    static let samples = ["flight", "booking", "ledger", "shop"]

    /// Runs `body` with a sample's configuration, on lists of its own.
    private func run(_ sample: String, _ body: (Installation) async throws -> Void) async throws {
        let folder = "\(Installation.root)/config/samples/\(sample)"
        func text(_ path: String) throws -> String { try String(contentsOfFile: "\(folder)/\(path)", encoding: .utf8) }
        try await Installation.run { installation in
            try FileManager.default.removeItem(at: installation.directory.appending(path: "config/models"))
            try installation.write("config/millrace.yaml", text("millrace.yaml").replacing("events:{", with: "\(installation.name):{"))
            for model in try FileManager.default.contentsOfDirectory(atPath: "\(folder)/models") {
                try installation.write("config/models/\(model)", text("models/\(model)"))
            }
            try await body(installation)
        }
    }

    private func python(_ script: String, _ arguments: [String], in installation: Installation) async throws -> Child.Ended {
        try await Child(
            "/usr/bin/env", ["python3", "\(Installation.root)/\(script)"] + arguments, environment: [:], directory: installation.directory.path,
            files: installation.directory.appending(path: "children")
        ).ended()
    }

    @Test(arguments: samples, Seed.ofThisRun)
    func `the documents are what the events amount to`(sample: String, seed: Seed) async throws {
        try await run(sample) { installation in
            let made = try await python("config/samples/\(sample)/generate.py", ["--events", "4000", "--seed", "\(seed.value)"], in: installation)
            let elements = made.output.split(separator: "\n")
            #expect(elements.count == 4000, "\(made.errors)")
            try installation.write("journal.ndjson", made.output)
            // In parts, so that documents are also read again and changed.
            for part in stride(from: 0, to: elements.count, by: 1000) {
                let lines = elements[part..<min(part + 1000, elements.count)].joined(separator: "\n")
                #expect(try await installation.millrace("push", sample, input: lines).code == 0)
                let drained = try await installation.millrace("drain", "--once")
                #expect(drained.code == 0, "\(drained.output) \(drained.errors)")
            }
            let log = try await installation.millrace("events", sample, "--json").output
            try installation.write("log.ndjson", log)
            let settings = try String(contentsOf: installation.directory.appending(path: "config/millrace.yaml"), encoding: .utf8)
            let partitions = settings.contains("partitions: 2") ? 2 : 1
            let verdict = try await python(
                "Tests/oracle/oracle.py",
                [
                    "--mongo", installation.mongodb, "--db", installation.name, "--model", sample, "--rules", sample, "--journal", "journal.ndjson",
                    "--log", "log.ndjson", "--partitions", "\(partitions)",
                ], in: installation)
            #expect(verdict.code == 0, "\(verdict.output) \(verdict.errors)")
            let found = try #require(JSONText.parse(verdict.output.trimmingSuffix("\n")).get().asDocument)
            #expect((found["documents"]?.asInteger ?? 0) > 50)
            #expect(found["log"]?.asDocument?["refused"] == nil)
        }
    }

    @Test(arguments: samples) func `its cases are good`(sample: String) async throws {
        try await run(sample) { installation in
            let cases = try await installation.millrace("test", "--config", "\(Installation.root)/config/samples/\(sample)")
            #expect(cases.code == 0, "\(cases.output) \(cases.errors)")
        }
    }
}
