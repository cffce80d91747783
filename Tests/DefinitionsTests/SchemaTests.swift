import Fixtures
import Foundation
import Testing
import Values

@testable import Definitions

/// The schemas are generated from the readers' own names, and a real validator shows that both mean the same.
@Suite struct SchemaTests {
    @Test func `the files in config are what the readers say`() throws {
        for (name, text) in SchemaFiles.all {
            let stored = try String(contentsOfFile: "\(root)/config/schema/\(name)", encoding: .utf8)
            #expect(stored == text, "\(name) is old: write it with millrace schema")
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: "\(root)/config/schema").count == SchemaFiles.all.count)
    }

    @Test func `every YAML file names its schema in its first line`() throws {
        let files = try Self.files()
        #expect(files.count >= 16, "\(files)")
        for (path, kind) in files {
            let line = try String(contentsOfFile: path, encoding: .utf8).prefix { $0 != "\n" }
            let prefix = "# yaml-language-server: $schema="
            guard line.hasPrefix(prefix) else {
                Issue.record("\(path) begins with \(line)")
                continue
            }
            let named = URL(filePath: path).deletingLastPathComponent().appending(path: String(line.dropFirst(prefix.count))).standardized.path
            #expect(named == "\(root)config/schema/\(kind.rawValue).schema.json", "\(path)")
        }
    }

    @Test func `a schema takes whatever its reader takes`() throws {
        var good: [(kind: Kind, source: String)] = try Self.files().map { ($0.kind, try String(contentsOfFile: $0.path, encoding: .utf8)) }
        let stories = LanguageTests.variables + LanguageTests.names + LanguageTests.upserts + LanguageTests.wholes + LanguageTests.contributions
        good += stories.map { (.model, "version: 1\nmodel: m\nstream: m\n" + $0.model) }
        good += SourceTests.good.map { (.model, $0) }
        good += CaseUpdateTests.updates.flatMap { [$0.before, $0.after] }.map { (.cases, CaseMistakes.head + $0) }
        // Texts that look for trouble, some of which are good as one kind or another.
        let corpus = "\(root)/Tests/Fuzz/corpus/yaml"
        let texts = try FileManager.default.contentsOfDirectory(atPath: corpus).compactMap { try? String(contentsOfFile: "\(corpus)/\($0)", encoding: .utf8) }
        good += texts.flatMap { text in Kind.allCases.map { ($0, text) } }
        good = good.filter { $0.kind.problems($0.source)?.isEmpty ?? false }
        #expect(good.count > 45, "\(good.count)")
        for ((kind, source), answer) in zip(good, try Self.answers(good)) {
            #expect(answer == .bool(true), "\(kind) refuses \(JSON.write(answer)):\n\(source)")
        }
    }

    /// What is more than the shape of a file: fragments of what the readers say. The schemas take such files.
    private static let beyondSchemas = [
        // Order, bytes, ranges of units, and names that other parts of a file or other files have.
        "must come first", "has 1 to 256 bytes, found 258", "found 900ms", "found 1s", "found 1ms", "found 11m", "found 31d", "found 1h", "found 2m",
        "found 500ms", "found 0s", "found 1KB",
        "found 8MiB", "99999999999999999999MiB", "no control characters", "which stream product uses already", "would use the key", "named twice",
        "a second time", "conflicts with", "unknown stream", "unknown model",
        // What stands in a text: URLs, names, paths that lead nowhere.
        "Let a tunnel", "w other than majority", "is not known", "the port must be", "IPv6", "which has no members",
        // How many arguments an operator has, and what they are called.
        "argument", " needs ", "must be a map with input", "unknown key \"inptu\"", "of $switch", "of $let", "of $convert", "then: is missing",
        "cannot be the name of a variable", "unknown variable", "of $sortArray", "of $zip", "$zip has", "field of $getField",
        "cannot take $$REMOVE", "mixes isoWeek",
        // Patterns and their options.
        "of the pattern", "there is no option", "is a time, and no decimal",
        // Depth, and what a null character is in.
        "deeper than", "NUL",
        // Filters and the paths that name them.
        "array filter", "no path has $[", "has two conditions",
        // What depends on other parts of a model, or on where a path leads.
        "the same for every event", "root: the fold has no effect", "derive: ", "must not lead into an array", "has the part", "${…} must hold",
        "is not repeatable", "found 10ms", "there is only the row", "event: the fold has no effect", "is refused: it writes", "computed name",
        "which the element is known by", "leads into a value",
        // JSON has one kind of number.
        "found 1.0", "found 1e3", "found 7MiB", "JSON has no number",
        // What a schedule means.
        "is no minute", "\"::1:9090\" is no address", "\"h:70000\" is no address", "ever comes", "no time zone", "found 2d", "found 8d",
        // Cases.
        "there is no event", "and waits", "logged before the one before", "is among the documents", "takes at most", "holds no value of its type",
    ]

    @Test func `a schema refuses whatever shape its reader refuses`() throws {
        let fold = "version: 1\nmodel: product\nstream: product\nfold:\n"
        var mistakes: [(kind: Kind, source: String)] = (ModelMistakesTests.files + ModelMistakesTests.later).map { (.model, $0.source) }
        let folds =
            ModelMistakesTests.effects + ModelMistakesTests.laterEffects + ModelMistakesTests.paths + ModelMistakesTests.operands + ModelMistakesTests.filters
            + ModelMistakesTests.expressions
        mistakes += folds.map { (.model, fold + $0.source) }
        mistakes += SourceTests.mistakes.map { (.model, $0.source) }
        mistakes += ConfigurationMistakesTests.settings.map { (.millrace, "version: 1\n\($0.source)\nstreams: { product: {} }\n") }
        mistakes += ConfigurationMistakesTests.streams.map { (.millrace, "version: 1\nstreams:\n  \($0.source)\n") }
        mistakes += ConfigurationMistakesTests.files.map { (.millrace, $0.source) }
        mistakes += ConfigurationTests.jobs.map { (.job, $0.source) }
        mistakes += CaseMistakes.all.map { (.cases, $0.source) }
        // What YAML itself refuses never reaches a schema.
        let readable = mistakes.filter { $0.kind.problems($0.source).map { !$0.isEmpty } ?? false }
        var used: Set<String> = []
        var refused = 0
        for ((kind, source), answer) in zip(readable, try Self.answers(readable)) {
            guard answer == .bool(true) else {
                refused += 1
                continue
            }
            let said = kind.problems(source)?.map(\.description) ?? []
            let beyond = Self.beyondSchemas.filter { fragment in said.contains { $0.contains(fragment) } }
            #expect(!beyond.isEmpty, "\(kind) takes what the reader refuses: \(said)\n\(source)")
            used.formUnion(beyond)
        }
        #expect(refused > 150, "\(refused) of \(readable.count)")
        #expect(Set(Self.beyondSchemas).subtracting(used).isEmpty, "no mistake needs these any more")
    }

    // MARK: Kinds of files

    private enum Kind: String, CaseIterable {
        case millrace, model, cases, job

        /// What the reader says; nil where YAML itself refuses the text.
        func problems(_ source: String) -> [ConfigurationProblem]? {
            let yaml = Findings(file: "file.yaml")
            guard YAMLReader.read(source, yaml) != nil, yaml.isEmpty else { return nil }
            let findings = Findings(file: "file.yaml")
            switch self {
            case .millrace: _ = ConfigurationReader(findings: findings, environment: [:]).read(source)
            case .model: _ = ModelReader.read(source, nil, findings)
            case .cases: _ = CaseReader(findings: findings, models: ["product"]).read(source)
            case .job: _ = JobReader(findings: findings, streams: ["product"], models: ["product"]).read(source, name: "job")
            }
            return findings.problems
        }
    }

    /// Every YAML file of the repository that is one of Millrace's, and what it is.
    private static func files() throws -> [(path: String, kind: Kind)] {
        try ["config", "jobs", "bench/config", "Tests/Faults/config"].flatMap { folder in
            try FileManager.default.subpathsOfDirectory(atPath: root + folder).sorted().filter { $0.hasSuffix(".yaml") }.map { name in
                let file = URL(filePath: "\(root)\(folder)/\(name)")
                let kinds = ["models": Kind.model, "tests": .cases, "jobs": .job]
                return (file.path, kinds[file.deletingLastPathComponent().lastPathComponent] ?? .millrace)
            }
        }
    }

    // MARK: The validator

    /// What a real validator says of each text: true, or why it refuses it.
    private static func answers(_ sources: [(kind: Kind, source: String)]) throws -> [Value] {
        let instances = try sources.map { kind, source -> Value in
            .array([.string(kind.rawValue), try #require(YAMLReader.read(source, Findings(file: ""))).value])
        }
        let schemas = try SchemaFiles.all.map { name, text in
            Document.Field(String(name.prefix { $0 != "." }), try JSONText.parse(text).get())
        }
        let asked = FileManager.default.temporaryDirectory.appending(path: "schemas-\(UUID().uuidString).json")
        try Data(JSON.write(["schemas": .document(Document(schemas)), "instances": .array(instances)]).utf8).write(to: asked)
        defer { try? FileManager.default.removeItem(at: asked) }
        let validator = Process()
        validator.executableURL = URL(filePath: "/usr/bin/env")
        validator.arguments = ["python3", "\(root)/Tests/schema/validate.py"]
        validator.standardInput = try FileHandle(forReadingFrom: asked)
        let output = Pipe()
        validator.standardOutput = output
        try validator.run()
        let said = try output.fileHandleForReading.readToEnd() ?? Data()
        validator.waitUntilExit()
        try #require(validator.terminationStatus == 0)
        return try #require(try JSONText.parse(Array(said)).get().asArray)
    }
}
