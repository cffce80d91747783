import Events
import Models
import Projector
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
    private let site: ReadSite
    private let connections: Lending<any ReadConnection>

    private static let leastTime = Duration.milliseconds(50)

    /// - Parameter connections: that are used for nothing else.
    public init(_ site: ReadSite, connections: [any ReadConnection], mostWaiting: Int) {
        self.site = site
        self.connections = Lending(connections, mostWaiting: mostWaiting)
    }

    public func page(
        _ request: PageRequest, of model: ReadModel, at place: ReadPlace, after: OperationTime?, until deadline: ContinuousClock.Instant
    ) async throws(ReadFailure) -> PageAnswer {
        let connection = try await connections.take(until: deadline)
        defer { connections.give(back: connection) }
        // With less, a server that is well would seem not to be.
        guard deadline - .now > Self.leastTime else { throw .late }
        var since: ContinuousClock.Instant?
        var known: (found: ReadDocuments, build: BuildID, view: ServerView)?
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
            if let found {
                (known, since) = ((found, build, view), .now)
            } else if let known {
                // By the view before the page was read: what came between is not in it.
                let answer = try answer(known.found, request, model, build, known.view)
                site.caches[model.name]?.take(
                    answer.documents.map { ($0.id, $0) }, of: build, by: known.view, after: nil, at: known.found.operationTime, isKept: false)
                return answer
            }
        }
    }

    private func answer(_ found: ReadDocuments, _ request: PageRequest, _ model: ReadModel, _ build: BuildID, _ view: ServerView) throws(ReadFailure)
        -> PageAnswer
    {
        do {
            var raws = found.documents
            // The place where the page begins is of the last document before it.
            if !request.isBackward, let after = request.after, let first = raws.first,
                try zip(request.place(of: first), after).allSatisfy({ Value.order($0, $1) == 0 })
            {
                raws.removeFirst()
            }
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
            throw .refused((error as? Refusal) ?? Refusal(.serverRefused, "MongoDB's answer cannot be read: \(error)"))
        }
    }
}

extension PageRequest {
    /// What a document has in the index: an absent field counts as null there, and what must be equal is what was asked for, also
    /// where the document has a list that holds it. Throws a `Refusal` where a list leaves no place to go on from.
    fileprivate func place(of raw: RawDocument) throws -> [Value] {
        let document = try Document(raw: raw)
        return try index.fields.map { field in
            if let condition = conditions.first(where: { $0.path == field.path && $0.comparison == .eq }) { return condition.value }
            var value = Value.document(document)
            for name in field.path.split(separator: ".", omittingEmptySubsequences: false) {
                value = value.asDocument?[String(name)] ?? .null
                guard value.asArray == nil else {
                    throw Refusal(
                        .noIndex,
                        "\(document["_id"]?.asString ?? "a document") has a list at \(field.path), and no page goes on behind it: sort by a field that is no list"
                    )
                }
            }
            return value
        }
    }
}
