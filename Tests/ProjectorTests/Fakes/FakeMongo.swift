import Events
import Fixtures
import Models
import Projector
import Values

/// What MongoDB keeps of one partition. Documents are kept as bytes, as they are there; chunks as what is read from the
/// bytes that were stored, which only needs to be done once.
struct FakeMongo: Sendable {
    private(set) var heads: [Chunk] = []
    private var digests: [ChunkDigests] = []
    var checkpoints: [BuildID: Checkpoint] = [:]
    var documents: [BuildID: [ExactString: [UInt8]]] = [:]
    var deadLetters: Set<DeadLetter> = []
    var unknownTypes: [BuildID: [ExactString?: UnknownType]] = [:]
    var clock: Int64 = 1_000_000
    /// Of models that have one.
    var pointers: [String: ModelPointer] = [:]
    /// What outside readers see.
    var views: [String: BuildID] = [:]
    var leases = FakeLeases.State()
    var epoch: Int64 = 0
    /// What no store would notice, and no reader could put right.
    var damage: [String] = []
    var witness = Witness()
    /// Appended by somebody else just before a chunk at its offset.
    var intruder: Chunk?
    /// Happens just before the next commit.
    var beforeCommit: (@Sendable (inout FakeMongo) -> Void)?
    /// A transaction over more elements fails.
    var mostElements = Int64.max
    private(set) var commits = 0
    /// Transactions that met another document than they were planned for, which only somebody else can have written.
    private(set) var mismatches = 0

    // MARK: The log

    var end: Int64 { heads.last?.end ?? 0 }

    func tail() -> LogTail {
        let last = heads.last
        return LogTail(offset: end, totals: last?.totals ?? LogTotals(), at: last?.at ?? 0, age: last?.age ?? 0, now: clock)
    }

    /// - Parameter isIndexUnique: a part of a segment is logged once.
    mutating func append(_ chunk: Chunk, isIndexUnique: Bool = true) -> AppendReply {
        if let other = intruder, other.offset == chunk.offset {
            intruder = nil
            _ = append(other)
        }
        let collides = heads.contains { $0.offset == chunk.offset || isIndexUnique && $0.segment == chunk.segment && $0.index == chunk.index }
        guard !collides else { return .collision }
        if chunk.offset != end { damage.append("a chunk at \(chunk.offset), and the log ends at \(end)") }
        if chunk.totals.received != tail().totals.received + Int64(chunk.count) { damage.append("the totals jump at \(chunk.offset)") }
        if chunk.at < tail().at || chunk.age < tail().age { damage.append("time runs backwards at \(chunk.offset)") }
        do {
            let stored = try Document(bson: ChunkCodec.encode(chunk))
            heads.append(try ChunkCodec.decode(stored))
            digests += try ChunkCodec.decodeDigests(stored)
        } catch {
            damage.append("a chunk at \(chunk.offset) cannot be read: \(error)")
        }
        witness.logged(chunk)
        return .appended
    }

    /// Newest first, while the window reaches a chunk.
    func windowStart(_ tail: LogTail, _ bounds: DedupeWindow.Bounds) -> Int64 {
        var start = tail.offset
        for chunk in heads.reversed() where chunk.offset < tail.offset {
            let after = tail.totals.originals - chunk.totals.originals
            guard after <= Int64(bounds.originals) && tail.age - chunk.age <= bounds.age || after < Int64(bounds.originalsAtAnyAge) else { break }
            start = chunk.offset
        }
        return start
    }

    /// Two chunks a page, so that there are several.
    func digests(from: Int64, below: Int64) -> [ChunkDigests] { Array(digests.lazy.filter { from..<below ~= $0.offset }.prefix(2)) }

    func progress(_ identity: String) -> SegmentProgress {
        let chunks = heads.filter { $0.segment == identity }
        return SegmentProgress(end: chunks.map { $0.index + Int64($0.count) }.max() ?? 0, oversize: chunks.flatMap(\.oversize))
    }

    func chunks(_ isWanted: (Chunk) -> Bool) -> [Chunk] { heads.filter(isWanted) }

    func chunks(from offset: Int64, events: Int) -> [Chunk] {
        var count = 0
        return chunks { chunk in
            guard chunk.end > offset, count < events else { return false }
            count += chunk.count
            return true
        }
    }

    // MARK: Documents and checkpoints

    mutating func checkpoint(_ build: BuildID, _ partition: PartitionID) -> Checkpoint? {
        if checkpoints[build] == nil, let pointer = pointers[build.model] {
            guard let kept = pointer.build(build), kept.state != .dropping else { return nil }
        }
        let checkpoint = checkpoints[build] ?? Checkpoint(build: build, partition: partition)
        checkpoints[build] = checkpoint
        return checkpoint
    }

    private func holds(_ from: Checkpoint) -> Bool {
        guard let stored = checkpoints[from.build] else { return false }
        return stored.offset == from.offset && stored.generation == from.generation && stored.frozen == from.frozen && stored.complete == from.complete
            && stored.totals.deleted == from.totals.deleted
    }

    /// All of it or nothing.
    mutating func commit(_ commit: Commit) throws -> CommitReply {
        if let change = beforeCommit {
            beforeCommit = nil
            change(&self)
        }
        guard commit.to.offset - commit.from.offset <= mostElements else { throw StoreLost() }
        guard holds(commit.from) else { return .conflict }
        guard let written = try written(commit) else {
            mismatches += 1
            return .mismatch
        }
        documents[commit.from.build] = written
        checkComplete(commit.to)
        checkpoints[commit.from.build] = commit.to
        deadLetters.formUnion(commit.deadLetters)
        for added in commit.unknownTypes {
            var known = unknownTypes[commit.from.build]?[added.type] ?? UnknownType(type: added.type, count: 0, first: added.first, last: added.last)
            known.count += added.count
            known.last = added.last
            unknownTypes[commit.from.build, default: [:]][added.type] = known
        }
        commits += 1
        return .committed
    }

    /// The documents after a commit; nil where one of them is not what it was planned for.
    private mutating func written(_ commit: Commit) throws -> [ExactString: [UInt8]]? {
        if Set(commit.writes.map { ExactString($0.key) }).count != commit.writes.count { damage.append("two writes of one document") }
        var documents = documents[commit.from.build] ?? [:]
        for write in commit.writes {
            let key = ExactString(write.key)
            do {
                guard try write.apply(to: &documents[key]) else { return nil }
            } catch is DocumentWrite.Refused {
                throw StoreLost(isRetriable: false)
            }
        }
        return documents
    }

    mutating func thaw(_ checkpoint: Checkpoint) -> Bool {
        guard let stored = checkpoints[checkpoint.build], [nil, checkpoint.frozen].contains(stored.frozen) else { return false }
        checkpoints[checkpoint.build]?.frozen = nil
        return true
    }

    mutating func replace(_ pointer: ModelPointer, with changed: ModelPointer) -> Bool {
        guard pointers[pointer.model]?.revision == pointer.revision else { return false }
        if changed.live != pointer.live { checkMove(from: pointer.live, to: changed.live, under: pointer.entry?.id) }
        pointers[pointer.model] = changed
        return true
    }

    /// Rule 18: readers leave a build that stands still, for one that has come as far.
    private mutating func checkMove(from old: BuildID, to new: BuildID, under id: String?) {
        guard let left = checkpoints[old], let taken = checkpoints[new] else {
            return damage.append("readers go from \(old) to \(new), and one has no checkpoint")
        }
        if left.frozen != id { damage.append("readers leave \(old), which goes on: it is frozen by \(left.frozen ?? "nobody")") }
        if taken.offset < left.offset { damage.append("readers go back from \(left.offset) of \(old) to \(taken.offset) of \(new)") }
    }

    mutating func note(_ complete: [ListCompleteness], in checkpoint: Checkpoint) -> CommitReply {
        guard holds(checkpoint) else { return .conflict }
        var noted = checkpoint
        noted.complete = complete
        checkComplete(noted)
        checkpoints[checkpoint.build]?.complete = complete
        return .committed
    }

    /// Rule 12: what a checkpoint says is complete has taken effect, and within a run it never says less than before.
    private mutating func checkComplete(_ checkpoint: Checkpoint) {
        let before = checkpoints[checkpoint.build]?.complete ?? []
        for entry in before
        where !checkpoint.complete.contains(where: { $0.list == entry.list && ($0.token.run != entry.token.run || $0.token.cuts >= entry.token.cuts) }) {
            damage.append("\(checkpoint.build) was complete up to \(entry.token), and is not any more")
        }
        for entry in checkpoint.complete where !before.contains(entry) {
            if let missing = witness.missing(entry, below: checkpoint.offset) {
                damage.append("\(checkpoint.build) at \(checkpoint.offset) says that it is complete up to \(entry.token), and has not \(missing)")
            }
        }
    }
}

/// A store that did not answer, or refused.
struct StoreLost: StoreFailure {
    var isRetriable = true
    var problem: Problem { isRetriable ? .outcomeUnknown : .serverRefused }
    var description: String { problem.rawValue }
}
