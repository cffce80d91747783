import Events

/// A log whose oldest chunks can be removed.
public protocol PrunedLog: EventLog {
    /// The offset of the first element that was not pruned.
    func start(of partition: PartitionID) async throws -> Int64

    /// Where the chunk begins that holds an offset.
    func boundary(of partition: PartitionID, at offset: Int64) async throws -> Int64

    /// Lets every reader know that what is below an offset, where a chunk begins, is no longer there. Returns how many
    /// elements the first chunk had, which says it from then on.
    func declare(_ partition: PartitionID, prunedBelow offset: Int64) async throws -> Int64

    /// Removes the contents of the next chunks in the range; nil where there are none.
    func prune(_ partition: PartitionID, _ offsets: Range<Int64>) async throws -> PrunedChunks?
}

public struct PrunedChunks: Hashable, Sendable {
    public var chunks: Int64
    public var elements: Int64
    /// The offset after the last one that was looked at.
    public var end: Int64

    public init(chunks: Int64, elements: Int64, end: Int64) {
        self.chunks = chunks
        self.elements = elements
        self.end = end
    }
}

/// How far a partition's log may be pruned, and what keeps the rest.
public struct PruneBound: Hashable, Sendable {
    /// Somebody who needs the log from an offset on.
    public struct Need: Hashable, Sendable {
        public var offset: Int64
        /// For a person: "the checkpoint of product@1".
        public var what: String

        public init(_ offset: Int64, _ what: String) {
            self.offset = offset
            self.what = what
        }
    }

    public var offset: Int64
    /// What needs it from there on, where that is less than was wanted.
    public var heldBack: String?

    /// - Parameter wanted: what is below it is to go.
    public init(wanted: Int64, needs: [Need]) {
        guard let least = needs.min(by: { $0.offset < $1.offset }), least.offset < wanted else {
            self.offset = wanted
            return
        }
        (offset, heldBack) = (least.offset, least.what)
    }
}

/// Removes the oldest elements of a partition's log. What is removed is gone: no build can be made anew from the log, and
/// no key's history be told.
public struct LogPrune: Sendable {
    private let log: any PrunedLog
    private let readings: @Sendable (PartitionID) async throws -> [PruneBound.Need]

    public struct Outcome: Hashable, Sendable {
        public var partition: PartitionID
        /// Where the log began before, and begins now.
        public var before: Int64
        public var start: Int64
        public var chunks: Int64 = 0
        public var elements: Int64 = 0
        /// Documents of what stays that were merged into others.
        public var merged: Int64 = 0
        public var heldBack: String?
    }

    /// - Parameter needs: asked for right before anything is removed.
    public init(_ log: any PrunedLog, needs: @escaping @Sendable (PartitionID) async throws -> [PruneBound.Need]) {
        self.log = log
        readings = needs
    }

    /// - Parameters:
    ///   - wanted: elements below this offset are to go.
    ///   - dryRun: finds out how far it would go, and changes nothing.
    public func run(_ partition: PartitionID, below wanted: Int64, settings: StreamSettings, dryRun: Bool = false) async throws -> Outcome {
        let tail = try await log.tail(of: partition)
        var needs = try await readings(partition)
        needs.append(.init(try await log.windowStart(of: partition, tail: tail, bounds: settings.dedupeBounds), "the dedupe window"))
        if tail.offset > 0 { needs.append(.init(try await log.boundary(of: partition, at: tail.offset - 1), "the log's last chunk, which always stays")) }
        let bound = PruneBound(wanted: min(wanted, tail.offset), needs: needs)
        let before = try await log.start(of: partition)
        var outcome = Outcome(partition: partition, before: before, start: before, heldBack: bound.heldBack)
        let end = max(before, tail.offset == 0 ? 0 : try await log.boundary(of: partition, at: bound.offset))
        outcome.start = end
        guard !dryRun, end > 0 else { return outcome }
        if end > before {
            outcome.elements = try await log.declare(partition, prunedBelow: end)
            outcome.chunks = outcome.elements > 0 ? 1 : 0
        }
        CrashPoint.pruneDeclared.reached()
        // From the beginning: one that was killed may have left something.
        var next: Int64 = 0
        while next < end, let pruned = try await log.prune(partition, next..<end) {
            CrashPoint.chunksPruned.reached()
            outcome.chunks += pruned.chunks
            outcome.elements += pruned.elements
            next = pruned.end
            try Task.checkCancellation()
        }
        return outcome
    }
}
