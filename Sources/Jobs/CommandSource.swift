import Events
import Projector
import Values

/// A program that prints the rows of a source of truth, a JSON object a line.
public struct CommandSource: TruthSource {
    private let words: [String]

    /// A variable of the environment has 128 KiB at most.
    public let mostIds: (count: Int, bytes: Int)? = (count: 1000, bytes: 100_000)

    public init(_ words: [String]) { self.words = words }

    /// - Parameter ids: the keys that rows are wanted of, for the program to read in `MILLRACE_IDS`, as a JSON array. What else it
    ///   prints is passed over.
    public func read(_ ids: [String]?, _ take: ([[UInt8]]) async throws -> Void) async throws {
        try Task.checkCancellation()
        let environment = ids.map { ["MILLRACE_IDS": JSON.write(.array($0.map(Value.string)))] } ?? [:]
        let program = try Program(words, environment: environment, printsRows: true)
        try await withTaskCancellationHandler {
            do {
                var lines = LineSplitter(mostBytes: SourceRow.mostBytes)
                while true {
                    let page = try await lines.next(SourceRow.page) { await program.block() }
                    if page.isEmpty { break }
                    try await take(page)
                }
            } catch {
                program.stop()
                _ = await program.ending()
                throw error
            }
            let ending = await program.ending()
            try Task.checkCancellation()
            guard ending.code == 0 else {
                let said = ending.lastLines.suffix(5).joined(separator: "\n")
                throw Refusal(.exitCode, "\(words[0]), the source of truth, ended with exit code \(ending.code)\(said.isEmpty ? "" : ":\n\(said)")")
            }
        } onCancel: {
            program.stop()
        }
    }
}
