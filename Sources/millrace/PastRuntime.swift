import Definitions
import Events
import Models
import MongoStore
import Projector
import Reads
import Synchronization
import Values

/// What the read API reads the past by: a connection of its own to the primary, made when it is first asked for.
final class PastRuntime: PastReader {
    private let configuration: Configuration
    private let opened = Mutex<Reader?>(nil)

    private static let selection = Duration.milliseconds(500)
    /// Of the documents of one answer, but for the last.
    private static let mostBytes = ByteCount.mebibytes(4).bytes

    init(_ configuration: Configuration) { self.configuration = configuration }

    func document(of id: String, in model: String, at moment: PastMoment, until deadline: ContinuousClock.Instant) async throws -> RawDocument? {
        try await live(model, deadline) { reading, build in
            guard let (document, time) = try await reading.document(of: id, in: build, at: moment) else { return nil }
            return Self.seen(document, at: time)
        }
    }

    func steps(
        of id: String, in model: String, after position: Position?, limit: Int, until deadline: ContinuousClock.Instant
    ) async throws -> (steps: [PastStep], isWhole: Bool) {
        try await live(model, deadline) { reading, build in
            var (steps, bytes) = ([PastStep](), 0)
            let isWhole = try await reading.steps(of: id, in: build, after: position) { step in
                guard steps.count < limit, bytes < Self.mostBytes else { return false }
                let found = try Self.step(step, at: reading.position(of: step.source.offset, id, in: build))
                bytes += found.document?.size ?? 0
                steps.append(found)
                return true
            }
            return (steps, isWhole)
        }
    }

    private static func step(_ step: Explanation.Step, at position: Position) throws -> PastStep {
        var problem: Problem?
        if case .parked(let refusal)? = step.fate { problem = refusal.problem }
        return PastStep(
            position: position, eventID: step.source.id, type: step.source.type, time: step.source.time, logged: step.source.loggedAt,
            outcome: step.fate?.name ?? "applied", problem: problem,
            document: try step.document.flatMap { seen(try Document(bson: $0.bson), at: step.source.loggedAt) })
    }

    private func live<Answer>(
        _ model: String, _ deadline: ContinuousClock.Instant, _ read: (PastReading, StoredBuild) async throws -> Answer
    ) async throws -> Answer {
        let reader = try await reader()
        let reading = PastReading(reader: reader, deadline: deadline)
        guard let answer = try await reader.live(model, { try await read(reading, $0) }) else { throw Refusal.noBuild(of: model) }
        return answer
    }

    private func reader() async throws -> Reader {
        if let opened = opened.withLock(\.self) { return opened }
        let reader = try await Reader(configuration, selection: Self.selection, answer: configuration.api.deadline)
        opened.withLock { $0 = reader }
        return reader
    }

    /// nil for what readers would not have seen then.
    private static func seen(_ document: Document, at time: Int64) -> RawDocument? {
        guard document[StoredDocument.orphanField] == nil, !(StoredDocument(document)?.isExpired(at: time) ?? true) else { return nil }
        return RawDocument(BSON.encode(document))
    }
}
