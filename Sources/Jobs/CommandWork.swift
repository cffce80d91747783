import Events
import Projector
import Threads
import Values

/// A program that a job runs: its exit code and the last lines of what it says go into the receipt.
public struct CommandWork: BatchWork {
    private let words: [String]

    public let kind = RunKind.command

    public init(_ words: [String]) { self.words = words }

    /// Fails with any other exit code than 0. When it is to stop, the program and whatever it has started get SIGTERM, and
    /// SIGKILL a while later.
    public func run(_ context: BatchContext) async throws -> RunOutcome {
        let program = try Program(words, environment: ["MILLRACE_JOB": context.job, "MILLRACE_RUN": context.run])
        let ending = await withTaskCancellationHandler {
            await program.ending()
        } onCancel: {
            program.stop()
        }
        try Task.checkCancellation()
        let sums: Document = ["exitCode": .int32(ending.code), "lastLines": .array(ending.lastLines.map(Value.string))]
        guard ending.code != 0 else { return RunOutcome(sums: sums) }
        return RunOutcome(.failed, sums: sums, problems: [Refusal(.exitCode, "\(words[0]) ended with exit code \(ending.code)")])
    }
}
