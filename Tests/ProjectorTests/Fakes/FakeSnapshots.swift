import EventFixtures
import Events
import Projector
import Values

/// A log that was written before, and the snapshots that are made of it.
actor FakeSnapshots: SnapshotStore, EventLog {
    private let chunks: [Chunk]
    private var decided: [Int64: Decision] = [:]
    private var heads: [SnapshotID: Snapshot] = [:]
    private(set) var blocks: [String: [[SnapshotRow]]] = [:]
    /// Elements of the log that were asked for.
    private(set) var elementsRead = 0
    /// The most rows that were written at once.
    private(set) var mostRows = 0
    /// Fails when this many more blocks are written.
    private var blocksLeft = Int.max

    init(_ chunks: [DecodedChunk]) { self.chunks = chunks.map(\.chunk) }

    func decide(_ decision: Decision?, at offset: Int64) { decided[offset] = decision }
    func fail(afterBlocks count: Int) { blocksLeft = count }
    func forgetReading() { elementsRead = 0 }

    // MARK: Snapshots

    func snapshots(of partition: PartitionID) -> [Snapshot] { Array(heads.values) }
    func begin(_ snapshot: Snapshot) { heads[snapshot.id] = snapshot }

    func append(_ rows: [[SnapshotRow]], from number: Int, to id: SnapshotID) throws {
        blocksLeft -= rows.count
        guard blocksLeft >= 0 else { throw StoreLost() }
        mostRows = max(mostRows, rows.reduce(0) { $0 + $1.count })
        guard blocks[id.attempt, default: []].count == number else { throw Refusal(.badInput, "a block \(number) behind \(blocks[id.attempt]?.count ?? 0)") }
        blocks[id.attempt, default: []] += rows
    }

    func complete(_ snapshot: Snapshot) -> Bool {
        guard heads[snapshot.id] != nil else { return false }
        heads[snapshot.id] = snapshot
        return true
    }

    func change(_ id: SnapshotID, to purpose: Snapshot.Purpose) -> Bool {
        heads[id]?.purpose = purpose
        return heads[id] != nil
    }

    func rewrite(_ snapshot: Snapshot, _ block: (number: Int, rows: [SnapshotRow])?) {
        guard heads[snapshot.id] != nil else { return }
        heads[snapshot.id] = snapshot
        if let block { blocks[snapshot.id.attempt]?[block.number] = block.rows }
    }

    func remove(_ id: SnapshotID) {
        heads[id] = nil
        blocks[id.attempt] = nil
    }

    func removeLeftovers() {
        let known = Set(heads.keys.map(\.attempt))
        blocks = blocks.filter { known.contains($0.key) }
    }

    func indexes(of id: SnapshotID, _ numbers: Range<Int>) -> [SnapshotIndex] {
        (blocks[id.attempt] ?? []).indices.filter(numbers.contains).map { SnapshotIndex(of: (blocks[id.attempt] ?? [])[$0]) }
    }

    func bodies(of id: SnapshotID, _ numbers: Range<Int>) -> [[[UInt8]]] {
        (blocks[id.attempt] ?? []).indices.filter(numbers.contains).map { (blocks[id.attempt] ?? [])[$0].map(\.bson) }
    }

    /// Somebody else removes a block.
    func loseBlock(of id: SnapshotID) { _ = blocks[id.attempt]?.popLast() }

    func decisions(on model: String, _ partition: PartitionID) -> [Int64: Decision] { decided }

    func decisions(on model: String, _ partition: PartitionID, ofKey key: String) -> [Int64: Decision] {
        decided.filter { decision in
            let chunk = chunks.first { $0.end > decision.key }
            return chunk.flatMap { $0.key(of: $0.elements[Int(decision.key - $0.offset)]) } == key
        }
    }

    func keys(of partition: PartitionID, _ offsets: Range<Int64>, after key: ExactString?, most: Int) -> [ExactString] {
        let all = chunks.filter { $0.offset < offsets.upperBound && $0.end > offsets.lowerBound }.flatMap(\.keys)
        return Array(Set(all).sorted().filter { after in key.map { $0 < after } ?? true }.prefix(most))
    }

    func logged(at offset: Int64, of partition: PartitionID) -> Int64? { chunks.first { $0.end > offset }?.at }

    /// All rows of a snapshot.
    func rows(of snapshot: Snapshot) -> [SnapshotRow] { (blocks[snapshot.id.attempt] ?? []).flatMap { $0 } }

    // MARK: The log

    func chunks(of partition: PartitionID, from offset: Int64, events: Int) -> [Chunk] { read(chunks.filter { $0.end > offset }.prefix(2)) }

    func chunks(of partition: PartitionID, withKeys keys: [String], _ offsets: Range<Int64>) -> [Chunk] {
        let wanted = Set(keys.map { ExactString($0) })
        return read(
            chunks.filter { $0.end > offsets.lowerBound && $0.offset < offsets.upperBound && !wanted.isDisjoint(with: $0.keys) }.prefix(2))
    }

    private func read(_ chunks: some Sequence<Chunk>) -> [Chunk] {
        let chunks = Array(chunks)
        elementsRead += chunks.reduce(0) { $0 + $1.count }
        return chunks
    }

    func tail(of partition: PartitionID) throws -> LogTail { throw StoreLost() }
    func windowStart(of partition: PartitionID, tail: LogTail, bounds: DedupeWindow.Bounds) throws -> Int64 { throw StoreLost() }
    func digests(of partition: PartitionID, from offset: Int64, below end: Int64) throws -> [ChunkDigests] { throw StoreLost() }
    func progress(of partition: PartitionID, segment identity: String) throws -> SegmentProgress { throw StoreLost() }
    func clock() throws -> Int64 { throw StoreLost() }
    func append(_ chunk: Chunk) throws -> AppendReply { throw StoreLost() }
}
