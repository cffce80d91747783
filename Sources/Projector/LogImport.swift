import Events

/// A log that chunks of another one are imported into.
public protocol ImportLog: EventLog {
    /// Where in a partition's log the chunks of a segment are, in the order of the segment; neighbours as one.
    func stretches(of partition: PartitionID, segment identity: String) async throws -> [ImportedStretch]
}

/// A run of another log's offsets, and where it is in this one.
public struct ImportedStretch: Hashable, Sendable {
    public var source: Int64
    public var target: Int64
    public var count: Int64

    public init(source: Int64, target: Int64, count: Int64) {
        self.source = source
        self.target = target
        self.count = count
    }

    /// Adds a run behind the others, to the last one where it follows it in both logs.
    public static func add(_ next: ImportedStretch, to stretches: inout [ImportedStretch]) {
        if let last = stretches.last, last.source + last.count == next.source, last.target + last.count == next.target {
            stretches[stretches.count - 1].count += next.count
        } else {
            stretches.append(next)
        }
    }
}

/// Appends chunks of another installation's log to this one's, each element once.
///
/// An imported chunk comes from a segment that is named after its log, at the index that is its offset there: how much of it
/// is here already is read like any segment's progress, and a second import collides instead of adding. What was decided
/// about an element when it was first logged stays: its kind, its key, its type and its time. It gets an offset of this
/// log, and the time at which it was logged first, unless this log is beyond that.
public struct LogImport: Sendable {
    private let log: any ImportLog
    private let head: LogArchive.Head
    private let stream: String
    private var places: [PartitionID: [ImportedStretch]] = [:]
    /// Elements that were appended, and that were there already.
    public private(set) var imported: Int64 = 0
    public private(set) var known: Int64 = 0

    /// How long servers are borne with.
    private static let patience = Duration.seconds(60)

    /// - Parameter stream: what is imported into.
    public init(_ log: any ImportLog, from head: LogArchive.Head, into stream: StreamSettings, incarnation: String) throws(Refusal) {
        guard head.incarnation != incarnation else {
            throw Refusal(.badInput, "the archive is from this very log (\(incarnation)): import it into another installation")
        }
        guard head.partitions == stream.partitions else {
            throw Refusal(
                .partitionsChanged,
                "the archive is of a stream with \(head.partitions) partitions, and \(stream.name) has \(stream.partitions): keys would be in partitions that "
                    + "are not theirs")
        }
        self.log = log
        self.head = head
        self.stream = stream.name
    }

    private func segment(_ source: PartitionID) -> String { "import:\(head.incarnation)/\(source)" }

    /// How far a partition of the source is imported.
    private func end(_ source: PartitionID) -> Int64 { places[source]?.last.map { $0.source + $0.count } ?? 0 }

    /// Appends what of a chunk is not here yet.
    public mutating func add(_ chunk: Chunk) async throws {
        let deadline = ContinuousClock.now + Self.patience
        var pause = Backoff(first: .milliseconds(20), most: .seconds(2))
        while true {
            do {
                if try await attempt(chunk) { return }
            } catch let failure as any StoreFailure where failure.isRetriable && .now < deadline {
            }
            // Somebody else appended, or the outcome is unknown: what is there is read again.
            places[chunk.partition] = nil
            try await Task.sleep(for: pause.next())
        }
    }

    private mutating func attempt(_ chunk: Chunk) async throws -> Bool {
        let source = chunk.partition
        let target = PartitionID(stream: stream, number: source.number)
        if places[source] == nil { places[source] = try await log.stretches(of: target, segment: segment(source)) }
        let end = end(source)
        guard chunk.offset <= end else {
            throw Refusal(
                .badInput,
                "the archive has \(source) from offset \(chunk.offset) on, and \(end == 0 ? "nothing before it" : "it") is imported up to \(end): "
                    + "import what is before it first")
        }
        guard chunk.end > end else {
            known += Int64(chunk.count)
            return true
        }
        let tail = try await log.tail(of: target)
        let part = try placed(chunk.dropping(first: Int(end - chunk.offset)), source, target, tail)
        guard case .appended = try await log.append(part) else { return false }
        CrashPoint.chunkAppended.reached()
        known += end - chunk.offset
        imported += Int64(part.count)
        ImportedStretch.add(.init(source: end, target: part.offset, count: Int64(part.count)), to: &places[source, default: []])
        return true
    }

    /// The chunk as it is logged here.
    private func placed(_ chunk: Chunk, _ source: PartitionID, _ target: PartitionID, _ tail: LogTail) throws(Refusal) -> Chunk {
        var placed = chunk
        placed.partition = target
        placed.segment = segment(source)
        placed.index = chunk.offset
        placed.offset = tail.offset
        placed.at = max(tail.at, min(chunk.at, tail.now))
        placed.age = tail.offset == 0 ? 0 : tail.age + min(placed.at - tail.at, Chunk.maximumAgeStep)
        placed.totals = tail.totals + chunk.own
        // What is too large for the log is in the other installation's Redis.
        placed.oversize = []
        for place in placed.elements.indices where placed.elements[place].kind == .duplicate {
            placed.elements[place].reference = try original(placed.elements[place].reference, source, chunk, tail)
        }
        return placed
    }

    /// Where the original of a duplicate is here.
    private func original(_ offset: Int64, _ source: PartitionID, _ chunk: Chunk, _ tail: LogTail) throws(Refusal) -> Int64 {
        if offset >= chunk.offset { return tail.offset + offset - chunk.offset }
        let stretch = places[source]?.last { $0.source <= offset }
        guard let stretch, offset < stretch.source + stretch.count else {
            throw Refusal(.badInput, "the archive's \(source) has a duplicate of offset \(offset), which is not imported")
        }
        return stretch.target + offset - stretch.source
    }
}
