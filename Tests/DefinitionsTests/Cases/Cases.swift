import Events
import Models
import Testing
import Values

@testable import Definitions

/// A model for cases: sums, lists, and effects that refuse.
let caseModel = """
    version: 1
    model: product
    stream: product
    fold:
      renamed: { $set: { name: $data.name } }
      counted: { $inc: { count: 1 } }
      dated: { $set: { at: $occurredAt } }
      listed: { $push: { list: $data.value } }
      gone: { $delete: true }

    """

/// Reads cases, without what stands above `cases:`.
func cases(_ source: String, file: String = "cases.yaml") throws -> CaseFile {
    let findings = Findings(file: file)
    let read = CaseReader(findings: findings, models: ["product"]).read(CaseMistakes.head + source)
    try #require(findings.isEmpty, "\(findings.problems)")
    return try #require(read)
}

/// Runs cases of the model above.
func run(_ file: CaseFile, _ stream: StreamSettings = StreamSettings(name: "product")) throws -> [CaseResult] {
    let model = try ModelReader.read(source: caseModel, file: "product.yaml")
    return file.cases.map { $0.run(model, stream, file: file.file) }
}

/// What is wrong with one case, in lines.
func differences(_ source: String, _ stream: StreamSettings = StreamSettings(name: "product")) throws -> [String] {
    let results = try run(try cases(source), stream)
    try #require(results.count == 1)
    return results[0].differences.flatMap { [$0.what] + $0.lines }
}
