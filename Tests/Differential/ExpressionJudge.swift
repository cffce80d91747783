import Events
import Foundation
import MongoStore
import Values

/// A real mongod that evaluates expressions.
struct ExpressionJudge {
    enum Verdict {
        case value(Value?)
        case refused(String)
    }

    private let connection: MongoConnection

    init() throws {
        guard let url = ProcessInfo.processInfo.environment["MILLRACE_MONGODB_URL"], !url.isEmpty else { throw Judge.NoServers() }
        connection = try MongoConnection(url: url, name: "judge")
    }

    /// What the expression gives for each document. The documents come from a stage, so that no operand is a constant
    /// and nothing is refused before it is evaluated.
    func verdicts(_ expression: Value, _ documents: [Document]) async throws -> [Verdict] {
        let pipeline: Value = [["$documents": ["$literal": .array(documents.map(Value.document))]], ["$replaceWith": ["r": expression]]]
        do {
            let reply = try await connection.command("admin", ["aggregate": 1, "pipeline": pipeline, "cursor": ["batchSize": 10_000]])
            let results = reply["cursor"]?.asDocument?["firstBatch"]?.asArray ?? []
            guard results.count == documents.count else { throw Refusal(.badInput, "\(results.count) answers for \(documents.count) documents") }
            return results.map { .value($0.asDocument?["r"]) }
        } catch let error as MongoError {
            // One document that is refused takes the others with it.
            if documents.count == 1 { return [.refused("\(error)")] }
            let half = documents.count / 2
            return try await verdicts(expression, Array(documents[..<half])) + verdicts(expression, Array(documents[half...]))
        }
    }
}
