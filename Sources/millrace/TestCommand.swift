import ArgumentParser
import Definitions
import Events
import Foundation
import Models
import Values

struct TestCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "test", abstract: "Runs the cases of config/tests: given documents and events, expected documents.",
        discussion: """
            Works without servers. Each case is folded whole and cut at every boundary, the way the log would be; where it says so \
            also with every event twice, and in all orders. Exits 1 when a case fails.
            """
    )

    @OptionGroup var options: GlobalOptions

    @Argument(help: "Files of cases; all of config/tests when none is named.")
    var files: [String] = []

    @Flag(help: "Write what comes out into the files, as what is expected from now on.")
    var update = false

    @Option(name: .customLong("junit"), help: "Write the results to this file as well, as build servers read them.")
    var report: String?

    func run() async throws {
        let (results, failed) = try await Ending.of { () async throws -> ([CaseResult], Int) in
            let configuration = try options.load()
            let models = Set(configuration.models.map(\.name))
            let cases = files.isEmpty ? CaseFiles(configuration: options.directory, models: models) : CaseFiles(paths: files, models: models)
            guard cases.problems.isEmpty else { throw ConfigurationProblems(cases.problems) }
            var results = cases.run(configuration)
            if update {
                try write(results, cases)
                // What is still wrong after it: what no expectation can put right.
                let again = files.isEmpty ? CaseFiles(configuration: options.directory, models: models) : CaseFiles(paths: files, models: models)
                guard again.problems.isEmpty else { throw ConfigurationProblems(again.problems) }
                results = again.run(configuration)
            }
            if let report { try write(JUnitReport.xml(results), to: report) }
            return (results, results.count { !$0.isGood })
        }
        if options.json { Output.line(JSON.write(.document(document(results)))) } else { show(results, failed) }
        if results.isEmpty { Ending.complain("there are no cases in \(options.directory)/tests") }
        if failed > 0 || results.isEmpty { throw Ending.notGood }
    }

    // MARK: Results

    private func show(_ results: [CaseResult], _ failed: Int) {
        for result in results where !result.isGood {
            Output.line("\(result.file):\(result.case.line): \(result.case.name)")
            for difference in result.differences {
                Output.line("  \(difference.what)")
                for line in difference.lines { Output.line("    \(line)") }
            }
            Output.line("")
        }
        let time = results.reduce(Duration.zero) { $0 + $1.lasted } / .seconds(1)
        Output.line(
            "\(Output.count(Int64(results.count))) cases, \(Output.count(Int64(results.count - failed))) good, \(Output.count(Int64(failed))) failed"
                + " in \(String(format: "%.3f", time)) s"
        )
    }

    private func document(_ results: [CaseResult]) -> Document {
        let cases = results.map { result -> Value in
            let differences = result.differences.map { difference -> Value in
                ["what": .string(difference.what), "lines": .array(difference.lines.map(Value.string))]
            }
            return [
                "file": .string(result.file), "line": .int64(Int64(result.case.line)), "model": .string(result.model), "name": .string(result.case.name),
                "good": .bool(result.isGood), "differences": .array(differences), "seconds": .double(result.lasted / .seconds(1)),
            ]
        }
        return ["cases": .array(cases), "failed": .int64(Int64(results.count { !$0.isGood }))]
    }

    // MARK: Files

    private func write(_ results: [CaseResult], _ cases: CaseFiles) throws {
        for file in cases.files {
            let update = CaseUpdate(file, results.filter { $0.file == file.file })
            for name in update.left { Ending.complain("\(file.file): the expectation of \(name) has to be written by hand") }
            guard update.count > 0 else { continue }
            try write(update.text, to: file.file)
            Ending.complain("\(file.file): \(update.count) expectations written")
        }
    }

    /// The file is replaced in one step: a full disk leaves the old one.
    private func write(_ text: String, to path: String) throws {
        do {
            try Data(text.utf8).write(to: URL(filePath: path).resolvingSymlinksInPath(), options: .atomic)
        } catch {
            Ending.complain("\(path) cannot be written: \(error.localizedDescription)")
            throw Ending.cannotWrite
        }
    }
}
