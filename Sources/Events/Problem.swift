import Values

/// The stable, kebab-case name of something that is wrong: one list for logs, dead letters, command line and HTTP.
public struct Problem: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    public var rawValue: String

    public init(rawValue: String) { self.rawValue = rawValue }
    public init(_ problem: JSONProblem) { rawValue = problem.rawValue }

    public var description: String { rawValue }
}

// An element that cannot become an event. Decided once, when it is logged; JSON problems are `JSONProblem`'s.
extension Problem {
    public static let notAnObject = Problem(rawValue: "not-an-object")
    public static let badEventId = Problem(rawValue: "bad-event-id")
    public static let badEventType = Problem(rawValue: "bad-event-type")
    public static let noKey = Problem(rawValue: "no-key")
    public static let badKey = Problem(rawValue: "bad-key")
    public static let badTime = Problem(rawValue: "bad-time")
    /// A value that is not what the stream's format or `types:` says.
    public static let badValue = Problem(rawValue: "bad-value")
    /// Of an envelope that is newer, or another, than the one that the format knows; and of an event whose schema is.
    public static let unknownVersion = Problem(rawValue: "unknown-version")
    /// The word that a row is gone, without saying which.
    public static let tombstone = Problem(rawValue: "tombstone")
    public static let wrongPartition = Problem(rawValue: "wrong-partition")
    public static let idReused = Problem(rawValue: "id-reused")
    public static let oversize = Problem(rawValue: "oversize")
    /// Also of an event that a model cannot take.
    public static let crashParked = Problem(rawValue: "crash-parked")
}

// An event that a model cannot take.
extension Problem {
    /// No effect of the model names the event's type, and it is said to park those.
    public static let unknownType = Problem(rawValue: "unknown-type")
    public static let missingValue = Problem(rawValue: "missing-value")
    public static let badOperand = Problem(rawValue: "bad-operand")
    public static let numberOverflow = Problem(rawValue: "number-overflow")
    public static let patternLimit = Problem(rawValue: "pattern-limit")
    public static let badPath = Problem(rawValue: "bad-path")
    public static let pathConflict = Problem(rawValue: "path-conflict")
    public static let badName = Problem(rawValue: "bad-name")
    public static let documentTooDeep = Problem(rawValue: "document-too-deep")
    public static let documentTooLarge = Problem(rawValue: "document-too-large")
    public static let arrayTooLong = Problem(rawValue: "array-too-long")
    public static let tooManySteps = Problem(rawValue: "too-many-steps")
}

// What stops a command or a worker.
extension Problem {
    public static let badConfiguration = Problem(rawValue: "bad-configuration")
    public static let unsafeServer = Problem(rawValue: "unsafe-server")
    public static let otherInstallation = Problem(rawValue: "other-installation")
    public static let newerFormat = Problem(rawValue: "newer-format")
    public static let newerFoldVersion = Problem(rawValue: "other-fold-version")
    public static let partitionsChanged = Problem(rawValue: "partitions-changed")
    public static let logDamaged = Problem(rawValue: "log-damaged")
    /// What is asked for was removed from the log.
    public static let logPruned = Problem(rawValue: "log-pruned")
    public static let elementsLost = Problem(rawValue: "elements-lost")
    public static let wrongType = Problem(rawValue: "wrong-type")
    public static let serverUnreachable = Problem(rawValue: "server-unreachable")
    public static let serverRefused = Problem(rawValue: "server-refused")
    public static let outcomeUnknown = Problem(rawValue: "outcome-unknown")
    public static let leaseLost = Problem(rawValue: "lease-lost")
    /// Somebody else does it just now.
    public static let leaseHeld = Problem(rawValue: "lease-held")
    /// What is asked for has not taken effect yet.
    public static let notCaughtUp = Problem(rawValue: "not-caught-up")
    public static let drift = Problem(rawValue: "drift")
    /// More than may be repaired without a person's word.
    public static let tooMuchDrift = Problem(rawValue: "too-much-drift")
    public static let noProgress = Problem(rawValue: "no-progress")
    public static let unknownName = Problem(rawValue: "unknown-name")
    public static let badInput = Problem(rawValue: "bad-input")
    /// Of a run that somebody stopped before it was done.
    public static let interrupted = Problem(rawValue: "interrupted")
    /// Of a run that took longer than its timeout.
    public static let timedOut = Problem(rawValue: "timed-out")
    /// Of a run whose runner died.
    public static let runnerDied = Problem(rawValue: "runner-died")
    /// Of a program that ended with another exit code than 0.
    public static let exitCode = Problem(rawValue: "exit-code")
    // Of the read API.

    /// A request that cannot be understood, with what is wrong.
    public static let badRequest = Problem(rawValue: "bad-request")
    public static let noSuchPath = Problem(rawValue: "no-such-path")
    public static let noSuchModel = Problem(rawValue: "no-such-model")
    public static let noSuchDocument = Problem(rawValue: "no-such-document")
    public static let badMethod = Problem(rawValue: "bad-method")
    /// No declared index answers what is asked for.
    public static let noIndex = Problem(rawValue: "no-index")
    public static let requestTooLarge = Problem(rawValue: "request-too-large")
    public static let answerTooLarge = Problem(rawValue: "answer-too-large")
    public static let notAcceptable = Problem(rawValue: "not-acceptable")
    public static let unauthorized = Problem(rawValue: "unauthorized")
    public static let forbidden = Problem(rawValue: "forbidden")
    public static let rateLimited = Problem(rawValue: "rate-limited")
    /// Too much is asked for at once.
    public static let overloaded = Problem(rawValue: "overloaded")
    /// Of an error that nobody has thought of.
    public static let bug = Problem(rawValue: "bug")
}

/// A problem with what it was about, for a person: what, where, why, and what to do.
public struct Refusal: Error, Hashable, Sendable, CustomStringConvertible {
    public var problem: Problem
    public var message: String

    public init(_ problem: Problem, _ message: String) {
        self.problem = problem
        self.message = message
    }

    public var description: String { "\(problem): \(message)" }

    /// Of a model that no worker has started with.
    public static func noBuild(of model: String) -> Refusal {
        Refusal(.unknownName, "\(model) has no build yet: it is made when a worker starts")
    }

    /// Of whoever needs what was removed from a partition's log.
    public static func pruned(_ partition: PartitionID, to start: Int64) -> Refusal {
        Refusal(
            .logPruned, "the log of \(partition) was pruned: it is there from offset \(start) on, and nothing can be told or built anew from what was before")
    }
}
