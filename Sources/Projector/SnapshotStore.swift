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

extension SnapshotStore {
    /// Removes a snapshot that cannot be used, so that another is made from what was before it. Throws where nothing was: what a
    /// build was loaded with stays as it is, for a person to look at.
    func discard(_ damage: SnapshotDamaged) async throws {
        if try await snapshots(of: damage.id.partition).contains(where: { $0.id == damage.id && $0.purpose == .load }) {
            throw Refusal(.logDamaged, "\(FoldDefinition.loadGone(damage.id.build, damage.id.partition).message) (\(damage.what))")
        }
        try await remove(damage.id)
    }
}

/// What documents are folded under.
public struct FoldDefinition: Sendable {
    public var build: BuildID
    public var foldHash: String
    public var foldVersion: Int32
    /// Where the build's history begins in each partition, if it was loaded.
    public var loaded: [Int64]?
    public var fold: any Folding

    public init(build: BuildID, foldHash: String, foldVersion: Int32, loaded: [Int64]? = nil, fold: any Folding) {
        self.build = build
        self.foldHash = foldHash
        self.foldVersion = foldVersion
        self.loaded = loaded
        self.fold = fold
    }

    public init(_ build: StoredBuild, fold: any Folding) {
        self.init(build: build.id, foldHash: build.foldHash, foldVersion: build.foldVersion, loaded: build.loaded, fold: fold)
    }

    /// Whether a snapshot is of this model and goes back to where its history does: to the beginning of the log, or to what this
    /// very build was loaded with. Those of other histories are not this build's to remove: readers may be sent back to them, and
    /// behind a pruned log nobody could make them again.
    func isOfSameHistory(_ snapshot: Snapshot) -> Bool {
        snapshot.id.build.model == build.model && (snapshot.isLoaded ? snapshot.id.build == build : loaded == nil)
    }

    /// Whether a snapshot tells the truth under this definition and these decisions.
    func isTold(by snapshot: Snapshot, _ decisions: [Int64: Decision]) -> Bool {
        guard snapshot.isComplete, isOfSameHistory(snapshot), snapshot.foldHash == foldHash, snapshot.foldVersion == foldVersion else { return false }
        // Nothing was decided about rows.
        return snapshot.purpose == .load || snapshot.decisions == Digest(of: decisions, below: snapshot.id.offset)
    }

    /// Where the build's history begins in a partition; nil where it does with the log.
    public func load(in partition: PartitionID) -> Int64? { loaded?.offset(in: partition) }

    /// The nearest of some snapshots of a partition, at an offset or below it; nil where the log alone tells.
    ///
    /// Throws `log-pruned` for an offset before a build's history, and `log-damaged` where what the build was loaded with is gone.
    public func nearest(of snapshots: [Snapshot], to offset: Int64, in partition: PartitionID, _ decisions: [Int64: Decision]) throws(Refusal) -> Snapshot? {
        let nearest = snapshots.filter { $0.id.offset <= offset }.sorted { $0.id.offset > $1.id.offset }.first { isTold(by: $0, decisions) }
        guard nearest == nil, let start = load(in: partition) else { return nearest }
        guard offset >= start else {
            throw Refusal(.logPruned, "\(build) was loaded from its source of truth at offset \(start) of \(partition): nothing can be told of what was before")
        }
        throw Self.loadGone(build, partition)
    }

    static func loadGone(_ build: BuildID, _ partition: PartitionID) -> Refusal {
        Refusal(.logDamaged, "what \(build) was loaded with in \(partition) is damaged or gone: load it again with rebuild --from-source \(build.model)")
    }
}
