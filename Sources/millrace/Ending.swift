import ArgumentParser
import Definitions
import Events
import Foundation
import Projector

/// How a command ends: what it prints on standard error, and its exit code.
enum Ending {
    /// Done, but the answer is "not good": not found, parked, refused by a check.
    static let notGood = ExitCode(1)
    /// What it was asked for is not what it found; nothing was changed.
    static let declined = ExitCode(2)
    static let usage = ExitCode(64)
    static let badInput = ExitCode(65)
    static let unreachable = ExitCode(69)
    static let bug = ExitCode(70)
    /// The results could not be written: the disk is full.
    static let cannotWrite = ExitCode(74)
    static let tryLater = ExitCode(75)
    static let refused = ExitCode(78)
    /// As a shell says it of a program that SIGPIPE ended.
    static let brokenPipe = ExitCode(141)

    /// Runs a command's body; an error is printed in one clear line, and becomes the exit code that goes with it.
    static func of<Result>(_ body: () async throws -> Result) async throws -> Result {
        do {
            return try await body()
        } catch let code as ExitCode {
            throw code
        } catch {
            complain("\(error)")
            throw code(of: error)
        }
    }

    static func complain(_ line: String) {
        // Where not even that can be written, the exit code has to do.
        _ = Output.write(Array("millrace: \(line)\n".utf8), to: STDERR_FILENO)
    }

    /// Ends the process well after this time, whatever it still waits for: a stop at any moment does no harm.
    static func leave(
        within patience: Duration, _ word: String = "stopped without an answer of a server: what was under way is taken up by the next worker"
    ) {
        Thread.detachNewThread {
            Thread.sleep(forTimeInterval: patience / .seconds(1))
            complain(word)
            _exit(0)
        }
    }

    static func code(of error: any Error) -> ExitCode {
        switch error {
        case is ConfigurationProblems: refused
        case let refusal as Refusal: code(of: refusal.problem)
        // What passes by itself needs nobody to change anything, which 78 would say.
        case let failure as any StoreFailure: failure.isRetriable ? unreachable : code(of: failure.problem)
        case ChunkError.newerFormat: refused
        case is ChunkError: badInput
        case let interruption as Interruption: ExitCode(128 + interruption.signal)
        default: bug
        }
    }

    private static func code(of problem: Problem) -> ExitCode {
        switch problem {
        case .serverUnreachable, .outcomeUnknown: unreachable
        // Of a source of truth: of a job's own program it is an outcome.
        case .exitCode: unreachable
        case .tooMuchDrift: notGood
        case .noProgress, .leaseHeld, .leaseLost, .notCaughtUp: tryLater
        case .unknownName: usage
        case .badInput, .logDamaged: badInput
        default: refused
        }
    }
}

/// A one-shot command was asked to stop.
struct Interruption: Error, CustomStringConvertible {
    var signal: Int32

    var description: String { "interrupted; everything done so far is kept" }
}
