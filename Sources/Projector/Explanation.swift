import Events
import Models
import Values

/// Why a document looks as it does: the events of its key, folded one by one, and which of them last made each field.
public struct Explanation: Sendable {
    /// An event of the key.
    public struct Source: Hashable, Sendable {
        public var offset: Int64
        /// nil for an element that is no event.
        public var id: String?
        public var type: String?
        /// When it happened, where it says so, and when it was logged: milliseconds since 1970.
        public var time: Int64?
        public var loggedAt: Int64
        /// It is no event, but a row that the build was loaded with.
        public var isLoad = false
    }

    /// What became of an event that changed nothing on purpose, or could not be taken.
    public struct Exception: Hashable, Sendable {
        public var source: Source
        public var fate: Fate
    }

    public enum Fate: Hashable, Sendable {
        case ignored
        /// Kept back behind a parked event of its key.
        case held
        case duplicate(of: Int64)
        case parked(Refusal)

        /// As receipts call it.
        public var name: String {
            switch self {
            case .ignored: "ignored"
            case .held: "held"
            case .duplicate: "duplicate"
            case .parked: "parked"
            }
        }
    }

    /// One field of the document that holds no fields itself.
    public struct Field: Sendable {
        /// Its name, behind those of the fields that it is in.
        public var path: [String]
        public var value: Value
        public var madeBy: Source
    }

    public let key: String
    /// The last of the events that changed nothing, and how many there were before them.
    public private(set) var exceptions: [Exception] = []
    public private(set) var earlierExceptions: Int64 = 0
    public private(set) var totals = ProjectionTotals()
    /// The event that removed the document, where there is none any more.
    public private(set) var removedBy: Source?
    /// Events of the key that are logged, and not applied yet.
    public private(set) var waiting: Int64 = 0
    private var history: KeyHistory
    private var sources: [[ExactString]: Source] = [:]
    private let decisions: [Int64: Decision]

    /// A key can have millions of ignored events, and nobody reads more.
    private static let mostExceptions = 1000

    /// - Parameter decisions: what was decided about the key's events.
    public init(of key: String, build: BuildID, fold: any Folding, decisions: [Int64: Decision]) {
        self.key = key
        self.decisions = decisions
        history = KeyHistory(of: [key], build: build, fold: fold, decisions: decisions)
    }

    /// The document as the events so far make it.
    public var document: StoredDocument? { history.document(of: key) }

    /// The document's fields in their order, those that hold others by what they hold.
    public var fields: [Field] {
        var fields: [Field] = []
        if let document { list(.document(document.fields), [], &fields) }
        return fields
    }

    private func list(_ value: Value, _ path: [String], _ fields: inout [Field]) {
        if case .document(let document) = value, !document.isEmpty || path.isEmpty {
            for field in document.fields { list(field.value, path + [field.name], &fields) }
        } else if let source = sources[path.map { ExactString($0) }] {
            fields.append(Field(path: path, value: value, madeBy: source))
        }
    }

    // MARK: Folding

    /// Goes on from what the build was loaded with at an offset, before anything is read.
    public mutating func begin(with rows: [SnapshotRow], at offset: Int64) {
        history.begin(with: rows, at: offset)
        guard let document else { return }
        let time = document.position.time
        attribute(Source(offset: document.position.offset, time: time, loggedAt: time, isLoad: true), nil, document)
    }

    /// One event, what became of it, and the document after it.
    public struct Step: Sendable {
        public var source: Source
        /// nil where it was applied.
        public var fate: Fate?
        public var document: StoredDocument?
    }

    /// Folds what the log has of the key below an offset, and counts what it has from there on.
    ///
    /// - Parameter body: is told each step; the rest is left where it says false.
    public mutating func read(
        _ log: any LoggedChunks, _ partition: PartitionID, below limit: Int64, _ body: (Step) -> Bool = { _ in true }
    ) async throws {
        var next = history.end
        while let chunks = try await KeyHistory.next(log, partition, history.keys, next..<Int64.max), let last = chunks.last {
            for chunk in chunks {
                guard take(DecodedChunk(parsing: chunk, next..<max(next, limit)), from: next, below: limit, body) else { return }
            }
            next = last.end
        }
    }

    /// Folds the elements of a chunk that follow what was folded already. False where somebody has enough.
    @discardableResult
    mutating func take(_ decoded: DecodedChunk, from start: Int64 = 0, below limit: Int64 = .max, _ body: (Step) -> Bool = { _ in true }) -> Bool {
        let chunk = decoded.chunk
        guard let wanted = chunk.keys.firstIndex(of: ExactString(key)) else { return true }
        for (place, element) in chunk.elements.enumerated() where element.key == Int32(wanted) {
            let offset = chunk.offset + Int64(place)
            guard offset >= start else { continue }
            guard offset < limit else {
                if element.kind == .event { waiting += 1 }
                continue
            }
            let source = source(of: element, at: place, decoded)
            let fate = take(element, source, decoded)
            if let fate { note(source, fate) }
            guard body(Step(source: source, fate: fate, document: document)) else { return false }
        }
        return true
    }

    private mutating func take(_ element: Chunk.Element, _ source: Source, _ decoded: DecodedChunk) -> Fate? {
        switch element.kind {
        case .duplicate:
            totals.duplicates += 1
            return .duplicate(of: element.reference)
        // It has no key.
        case .erased: return nil
        case .refused:
            totals.logged += 1
            if decisions[source.offset] == .dropped {
                totals.ignored += 1
                return .ignored
            }
            totals.parked += 1
            return .parked(decoded.chunk.refusals[Int(element.reference)])
        case .event:
            let (before, counts) = (document, history.totals)
            let letters = history.take(decoded, below: source.offset + 1)
            let after = history.totals
            totals.logged += 1
            totals.applied += after.applied - counts.applied
            totals.ignored += after.ignored - counts.ignored
            totals.parked += after.parked - counts.parked
            totals.held += after.held - counts.held
            if let letter = letters.last { return .parked(letter.refusal) }
            if after.applied == counts.applied { return after.held > counts.held ? .held : .ignored }
            attribute(source, before?.unlessExpired(at: source.loggedAt), document)
            return nil
        }
    }

    private func source(of element: Chunk.Element, at place: Int, _ decoded: DecodedChunk) -> Source {
        Source(
            offset: decoded.chunk.offset + Int64(place), id: decoded.event(at: place)?.value(.eventId, [])?.asString, type: decoded.chunk.type(of: element),
            time: decoded.chunk.time(of: element), loggedAt: decoded.chunk.at
        )
    }

    private mutating func note(_ source: Source, _ fate: Fate) {
        exceptions.append(Exception(source: source, fate: fate))
        guard exceptions.count > Self.mostExceptions else { return }
        exceptions.removeFirst()
        earlierExceptions += 1
    }

    // MARK: Fields

    private mutating func attribute(_ source: Source, _ before: StoredDocument?, _ after: StoredDocument?) {
        guard let after else {
            if before != nil { removedBy = source }
            sources = [:]
            return
        }
        removedBy = nil
        attribute(source, (before?.fields).map(Value.document), .document(after.fields), [])
    }

    private mutating func attribute(_ source: Source, _ before: Value?, _ after: Value, _ path: [ExactString]) {
        if before == after { return }
        guard case .document(let document) = after, !document.isEmpty else {
            sources[path] = source
            return
        }
        for field in document.fields { attribute(source, before?.asDocument?[field.name], field.value, path + [ExactString(field.name)]) }
    }
}
