import Events
import Models
import Values

/// Where snapshots are kept, and what is asked of the log for them.
///
/// Implementations throw a `StoreFailure`, or `SnapshotDamaged`.
public protocol SnapshotStore: Sendable {
    /// Every snapshot of a partition, complete or not, of all builds.
    func snapshots(of partition: PartitionID) async throws -> [Snapshot]

    /// Notes that a snapshot is being made, before the first block.
    func begin(_ snapshot: Snapshot) async throws

    /// Stores blocks from a number on.
    func append(_ blocks: [[SnapshotRow]], from number: Int, to id: SnapshotID) async throws

    /// From now on the snapshot can be used. False when somebody else has removed it.
    func complete(_ snapshot: Snapshot) async throws -> Bool

    /// Says what a snapshot is there for from now on. False when it is not there.
    func change(_ id: SnapshotID, to purpose: Snapshot.Purpose) async throws -> Bool

    /// Stores a block anew, where there is one, and what the head says of it, at once or not at all: nobody finds keys without their
    /// documents. Nothing happens where the snapshot is not there any more.
    func rewrite(_ snapshot: Snapshot, _ block: (number: Int, rows: [SnapshotRow])?) async throws

    /// Removes a snapshot: first its head, so that nobody uses what is left of it, then its blocks.
    func remove(_ id: SnapshotID) async throws

    /// Removes blocks that no snapshot has.
    func removeLeftovers() async throws

    /// Blocks without their documents; fewer, or none, when the snapshot was removed meanwhile.
    func indexes(of id: SnapshotID, _ numbers: Range<Int>) async throws -> [SnapshotIndex]

    /// The documents of blocks, as they are stored; fewer, or none, when the snapshot was removed meanwhile.
    func bodies(of id: SnapshotID, _ numbers: Range<Int>) async throws -> [[[UInt8]]]

    /// What was decided about a partition's events of a model, by offset.
    func decisions(on model: String, _ partition: PartitionID) async throws -> [Int64: Decision]

    /// Those of them that are about events of a key.
    func decisions(on model: String, _ partition: PartitionID, ofKey key: String) async throws -> [Int64: Decision]

    /// The first so many keys behind a key, in order, that occur in a range of the log; there may be some of the chunks at
    /// its ends among them.
    func keys(of partition: PartitionID, _ offsets: Range<Int64>, after key: ExactString?, most: Int) async throws -> [ExactString]

    /// When the element at an offset was logged: milliseconds since 1970; nil where there is none.
    func logged(at offset: Int64, of partition: PartitionID) async throws -> Int64?
}

/// A snapshot cannot be read: a block is not what was written, or is gone. Without it, another or the log alone will do.
public struct SnapshotDamaged: Error, CustomStringConvertible {
    public var id: SnapshotID
    public var what: String

    public init(_ id: SnapshotID, _ what: String) {
        self.id = id
        self.what = what
    }

    public var description: String { "\(Problem.logDamaged): \(id) cannot be used: \(what)" }
}

/// What documents are folded under.
public struct FoldDefinition: Sendable {
    public var build: BuildID
    public var foldHash: String
    public var foldVersion: Int32
    public var fold: any Folding

    public init(build: BuildID, foldHash: String, foldVersion: Int32, fold: any Folding) {
        self.build = build
        self.foldHash = foldHash
        self.foldVersion = foldVersion
        self.fold = fold
    }

    /// Whether a snapshot tells the truth under this definition and these decisions.
    func isTold(by snapshot: Snapshot, _ decisions: [Int64: Decision]) -> Bool {
        snapshot.isComplete && snapshot.id.build.model == build.model && snapshot.foldHash == foldHash && snapshot.foldVersion == foldVersion
            && snapshot.decisions == Digest(of: decisions, below: snapshot.id.offset)
    }

    /// The nearest of some snapshots, at an offset or below it.
    public func nearest(of snapshots: [Snapshot], to offset: Int64, _ decisions: [Int64: Decision]) -> Snapshot? {
        snapshots.filter { $0.id.offset <= offset }.sorted { $0.id.offset > $1.id.offset }.first { isTold(by: $0, decisions) }
    }
}
