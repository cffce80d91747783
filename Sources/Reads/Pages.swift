import Events
import Models
import Projector
import Synchronization
import Values

/// A page of documents, and what the server that was read from says of their model.
public struct PageAnswer: Sendable {
    public var documents: [ReadDocument]
    /// What the last document has in the index, where there are more behind it.
    public var next: [Value]?
    public var build: BuildID
    /// By partition.
    public var offsets: [PartitionID: Int64]
    /// Milliseconds.
    public var lag: Int64
}

/// Reads pages: each has a connection to itself while it is read.
public final class Pages: Sendable {
    private struct State {
        var idle: [any ReadConnection]
        var waiters: [CheckedContinuation<any ReadConnection, Never>] = []
    }

    private let site: ReadSite
    private let state: Mutex<State>
    private let mostWaiting: Int

    /// - Parameter connections: that are used for nothing else.
    public init(_ site: ReadSite, connections: [any ReadConnection], mostWaiting: Int) {
        self.site = site
        state = Mutex(State(idle: connections))
        self.mostWaiting = mostWaiting
    }

    public func page(
        _ request: PageRequest, of model: ReadModel, at place: ReadPlace, after: OperationTime?, until deadline: ContinuousClock.Instant
    ) async throws(ReadFailure) -> PageAnswer {
        let connection = try await connection()
        defer { give(back: connection) }
        var since: ContinuousClock.Instant?
        var known: (found: ReadDocuments, build: BuildID)?
        while true {
            let last = known
            let (view, found) = try await site.read(at: place, after: after, viewSince: since, limit: deadline - .now, on: connection, until: deadline) {
                (view, attempt) -> (answer: (ServerView, ReadDocuments?), operationTime: OperationTime) in
                // Only a view that was asked for after the page was read tells that readers had not left the build.
                guard let build = view.live[model.name], build != last?.build else { return ((view, nil), view.operationTime) }
                let found = try await connection.page(of: build, request, attempt)
                return ((view, found), found.operationTime)
            }
            guard let build = view.live[model.name] else { throw .refused(.noBuild(of: model.name)) }
            if let found { (known, since) = ((found, build), .now) } else if let known { return try answer(known.found, request, model, build, view) }
        }
    }

    private func answer(_ found: ReadDocuments, _ request: PageRequest, _ model: ReadModel, _ build: BuildID, _ view: ServerView) throws(ReadFailure)
        -> PageAnswer
    {
        do throws(BSONError) {
            var raws = found.documents
            // The place where the page begins is of the last document before it.
            if !request.isBackward, let after = request.after, let first = raws.first, try request.place(of: first) == after { raws.removeFirst() }
            let shown = raws.prefix(request.limit)
            var next: [Value]?
            if raws.count > shown.count || !found.isWhole, let last = shown.last { next = try request.place(of: last) }
            let partitions = model.allPartitions
            var documents: [ReadDocument] = []
            for raw in shown { if let document = try ReadDocument(raw, now: view.now) { documents.append(document) } }
            return PageAnswer(
                documents: documents, next: next, build: build,
                offsets: Dictionary(uniqueKeysWithValues: partitions.map { ($0, view.checkpoint(of: build, $0)?.offset ?? 0) }),
                lag: partitions.map { view.lag(of: build, $0) }.max() ?? 0)
        } catch {
            throw .refused(Refusal(.serverRefused, "MongoDB's answer cannot be read: \(error)"))
        }
    }

    private func connection() async throws(ReadFailure) -> any ReadConnection {
        if let connection = state.withLock({ $0.idle.popLast() }) { return connection }
        guard state.withLock({ $0.waiters.count < mostWaiting }) else { throw .overloaded }
        return await withCheckedContinuation { continuation in
            let connection = state.withLock { state -> (any ReadConnection)? in
                if let connection = state.idle.popLast() { return connection }
                state.waiters.append(continuation)
                return nil
            }
            if let connection { continuation.resume(returning: connection) }
        }
    }

    private func give(back connection: any ReadConnection) {
        let waiter = state.withLock { state -> CheckedContinuation<any ReadConnection, Never>? in
            if state.waiters.isEmpty {
                state.idle.append(connection)
                return nil
            }
            return state.waiters.removeFirst()
        }
        waiter?.resume(returning: connection)
    }
}

extension PageRequest {
    /// What a document has in the index; an absent field counts as null, as it does there.
    fileprivate func place(of raw: RawDocument) throws(BSONError) -> [Value] {
        let document = try Document(raw: raw)
        return index.fields.map { field in
            field.path.split(separator: ".", omittingEmptySubsequences: false).reduce(Value.document(document)) { $0.asDocument?[String($1)] ?? .null }
        }
    }
}
