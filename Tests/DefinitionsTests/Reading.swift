import Foundation
import Testing

@testable import Definitions

/// What is wrong with a model file.
func problems(model source: String) -> [ConfigurationProblem] {
    do {
        _ = try ModelReader.read(source: source, file: "product.yaml")
        return []
    } catch {
        return error.problems
    }
}

/// What is wrong with the fold of a model that is good otherwise. The fold begins at line 5.
func problems(fold source: String) -> [ConfigurationProblem] {
    problems(model: "version: 1\nmodel: product\nstream: product\nfold:\n" + source)
}

/// A mistake, and the one problem that it must give.
struct Mistake: Sendable, CustomTestStringConvertible {
    var source: String
    var line: Int?
    var column: Int?
    var fragment: String

    init(_ source: String, _ line: Int?, _ column: Int?, _ fragment: String) {
        self.source = source
        self.line = line
        self.column = column
        self.fragment = fragment
    }

    var testDescription: String { "\(source.debugDescription) → \(fragment)" }
}

/// A configuration in a directory of its own, removed with it.
final class Files {
    let path: String

    init(_ files: [String: String]) throws {
        let root = FileManager.default.temporaryDirectory.appending(path: "definitions-\(UUID().uuidString)")
        path = root.path()
        try FileManager.default.createDirectory(at: root, withIntermediateDirectories: true)
        for (name, text) in files {
            let file = root.appending(path: name)
            try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(text.utf8).write(to: file)
        }
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func check(_ environment: [String: String] = [:]) -> ConfigurationCheck {
        Configuration.check(directory: path, jobs: path + "/jobs", environment: environment)
    }

    /// The problems without the directory's name.
    func problems(_ environment: [String: String] = [:]) -> [String] {
        check(environment).problems.map { $0.description.replacingOccurrences(of: path + "/", with: "") }
    }
}

/// The package's root.
let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path()

/// A model that is good.
let goodModel = "version: 1\nmodel: product\nstream: product\nfold: { created: { $set: { name: $data.name } } }\n"
/// A `millrace.yaml` that is good.
let goodMain = "version: 1\nstreams: { product: { partitions: 1 } }\n"
