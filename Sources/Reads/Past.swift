import Events
import Models
import Values

/// When a document is to be shown as it was.
public enum PastMoment: Hashable, Sendable {
    /// When everything up to this time was logged: milliseconds since 1970.
    case time(Int64)
    /// Right after the event at this position.
    case position(Position)
}

/// A document as it was after an event of its key.
public struct PastStep: Sendable {
    public var position: Position
    public var eventID: String?
    public var type: String?
    /// When it happened, where it says so, and when it was logged: milliseconds since 1970.
    public var time: Int64?
    public var logged: Int64
    /// As receipts call it.
    public var outcome: String
    /// Why it was parked.
    public var problem: Problem?
    /// nil where there was none, and where readers would have seen none.
    public var document: RawDocument?

    public init(
        position: Position, eventID: String?, type: String?, time: Int64?, logged: Int64, outcome: String, problem: Problem?, document: RawDocument?
    ) {
        self.position = position
        self.eventID = eventID
        self.type = type
        self.time = time
        self.logged = logged
        self.outcome = outcome
        self.problem = problem
        self.document = document
    }
}

/// Reads what was, from the log and its snapshots: one thing at a time. Throws a `Refusal` for what there is not.
public protocol PastReader: Sendable {
    /// nil where there was no document that readers would have seen.
    func document(of id: String, in model: String, at moment: PastMoment, until deadline: ContinuousClock.Instant) async throws -> RawDocument?

    /// The events of a document behind a position, the oldest first, as far as they have taken effect: so many, or fewer where their
    /// documents are large, and whether these are all.
    func steps(
        of id: String, in model: String, after position: Position?, limit: Int, until deadline: ContinuousClock.Instant
    ) async throws -> (steps: [PastStep], isWhole: Bool)
}

/// What documents were, for whoever asks: a question can be a whole history's work, and so few are answered at once.
public final class Past: Sendable {
    private let readers: Lending<any PastReader>

    public init(readers: [any PastReader], mostWaiting: Int) { self.readers = Lending(readers, mostWaiting: mostWaiting) }

    public func document(
        of id: String, in model: ReadModel, at moment: PastMoment, until deadline: ContinuousClock.Instant
    ) async throws(ReadFailure) -> RawDocument? {
        try await read(until: deadline) { try await $0.document(of: id, in: model.name, at: moment, until: deadline) }
    }

    /// - Returns: at most so many events, and the position of the last of them where there are more.
    public func steps(
        of id: String, in model: ReadModel, after position: Position?, limit: Int, until deadline: ContinuousClock.Instant
    ) async throws(ReadFailure) -> (steps: [PastStep], next: Position?) {
        let (steps, isWhole) = try await read(until: deadline) {
            try await $0.steps(of: id, in: model.name, after: position, limit: limit, until: deadline)
        }
        return (steps, isWhole ? nil : steps.last?.position)
    }

    private func read<Answer: Sendable>(
        until deadline: ContinuousClock.Instant, _ body: @Sendable (any PastReader) async throws -> Answer
    ) async throws(ReadFailure) -> Answer {
        let reader = try await readers.take(until: deadline)
        defer { readers.give(back: reader) }
        do {
            // Not where requests are answered: a history is a fold, which keeps a thread for long.
            return try await withTaskExecutorPreference(globalConcurrentExecutor) { try await body(reader) }
        } catch let failure as ReadFailure {
            throw failure
        } catch let refusal as Refusal where refusal.problem != .serverUnreachable {
            throw .refused(refusal)
        } catch let damage as ChunkError {
            throw .refused(Refusal(.logDamaged, "the log is damaged where it would be read: \(damage)"))
        } catch {
            throw .unavailable("MongoDB's primary, which has the past, did not answer")
        }
    }
}
