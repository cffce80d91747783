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

    /// The events of a document behind a position, the oldest first, as far as they have taken effect.
    func steps(
        of id: String, in model: String, after position: Position?, limit: Int, until deadline: ContinuousClock.Instant
    ) async throws -> [PastStep]
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

    /// - Returns: so many events, and the position of the last of them where there are more.
    public func steps(
        of id: String, in model: ReadModel, after position: Position?, limit: Int, until deadline: ContinuousClock.Instant
    ) async throws(ReadFailure) -> (steps: [PastStep], next: Position?) {
        let steps = try await read(until: deadline) {
            try await $0.steps(of: id, in: model.name, after: position, limit: limit + 1, until: deadline)
        }
        return (Array(steps.prefix(limit)), steps.count > limit ? steps[limit - 1].position : nil)
    }

    private func read<Answer>(
        until deadline: ContinuousClock.Instant, _ body: (any PastReader) async throws -> Answer
    ) async throws(ReadFailure) -> Answer {
        let reader = try await readers.take(until: deadline)
        defer { readers.give(back: reader) }
        do {
            return try await body(reader)
        } catch let failure as ReadFailure {
            throw failure
        } catch let refusal as Refusal {
            throw .refused(refusal)
        } catch {
            throw .unavailable("\(error)")
        }
    }
}
