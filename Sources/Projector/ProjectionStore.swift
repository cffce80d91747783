import Events
import Models
import Values

/// One physical collection of documents: `product@1`.
public struct BuildID: Hashable, Sendable, CustomStringConvertible {
    public var model: String
    public var number: Int

    public init(model: String, number: Int) {
        self.model = model
        self.number = number
    }

    /// Reads `model@number`.
    public init?(_ text: String) {
        guard let at = text.lastIndex(of: "@"), let number = Int(text[text.index(after: at)...]), at > text.startIndex else { return nil }
        self.init(model: String(text[..<at]), number: number)
    }

    public var description: String { "\(model)@\(number)" }
}

/// What a build's checkpoint counts. Every element before it is in exactly one of duplicates, applied, ignored, parked
/// and held; documents are counted by what happened to them.
public struct ProjectionTotals: Hashable, Sendable {
    public var logged: Int64 = 0
    public var duplicates: Int64 = 0
    public var applied: Int64 = 0
    public var ignored: Int64 = 0
    public var parked: Int64 = 0
    public var held: Int64 = 0
    public var inserted: Int64 = 0
    public var updated: Int64 = 0
    public var deleted: Int64 = 0
    public var unchanged: Int64 = 0
    /// Documents that were found not to be what the log makes them, and written anew.
    public var drift: Int64 = 0

    public init() {}
}

/// How far a list is complete: everything cut from it up to `token` is before the checkpoint.
public struct ListCompleteness: Hashable, Sendable {
    public var list: String
    public var token: BufferToken

    public init(list: String, token: BufferToken) {
        self.list = list
        self.token = token
    }
}

/// How far a build has taken effect in one partition.
public struct Checkpoint: Hashable, Sendable {
    public var build: BuildID
    public var partition: PartitionID
    /// The next offset.
    public var offset: Int64 = 0
    /// When the last element before it was logged: milliseconds since 1970.
    public var time: Int64 = 0
    public var generation: Int64 = 0
    /// The id of the switch that froze it.
    public var frozen: String?
    public var totals = ProjectionTotals()
    public var complete: [ListCompleteness] = []
    /// What has stopped the build at `offset`.
    public var stopped: Standstill?

    public init(build: BuildID, partition: PartitionID) {
        self.build = build
        self.partition = partition
    }
}

/// What was decided about an event, whatever the fold says of it. It is kept with the event's dead letter.
public enum Decision: String, Hashable, Sendable {
    /// Workers died of it: it is parked unread.
    case crashParked = "crash-parked"
    /// Somebody has dropped it: it is ignored.
    case dropped
}

/// A parked event: kept, with reason and position. Its bytes are in the log.
public struct DeadLetter: Hashable, Sendable {
    /// nil for an element that is no event: it is parked in every model of its stream, and makes one dead letter.
    public var build: BuildID?
    public var partition: PartitionID
    public var offset: Int64
    public var refusal: Refusal
    public var key: String?
    public var type: String?
    /// When it was logged: milliseconds since 1970.
    public var at: Int64

    /// What was decided about the event: not what the fold says, but what every build of the model reads.
    public var decision: Decision?

    public init(build: BuildID?, partition: PartitionID, offset: Int64, refusal: Refusal, key: String?, type: String?, at: Int64) {
        decision = build != nil && refusal.problem == .crashParked ? .crashParked : nil
        self.build = build
        self.partition = partition
        self.offset = offset
        self.refusal = refusal
        self.key = key
        self.type = type
        self.at = at
    }
}

/// One transaction of a build: the checkpoint moves, and everything it moves over takes effect.
public struct Commit: Sendable {
    /// What the stored checkpoint must be, by offset, build, generation, freeze, completeness and how many documents were removed.
    public var from: Checkpoint
    public var to: Checkpoint
    public var writes: [DocumentWrite]
    public var deadLetters: [DeadLetter]
    /// To be added to what was counted before.
    public var unknownTypes: [UnknownType]

    public init(from: Checkpoint, to: Checkpoint, writes: [DocumentWrite], deadLetters: [DeadLetter], unknownTypes: [UnknownType] = []) {
        self.from = from
        self.to = to
        self.writes = writes
        self.deadLetters = deadLetters
        self.unknownTypes = unknownTypes
    }
}

public enum CommitReply: Hashable, Sendable {
    case committed
    /// The checkpoint is not `from`: somebody else moved it, repaired documents, noted completeness, or froze it. Nothing
    /// happened.
    case conflict
    /// A document was not there, or there when it should not be. Nothing happened.
    case mismatch
}

/// The documents and checkpoints of one worker's builds: one causally consistent session, transactions one at a time.
///
/// Implementations throw a `StoreFailure`. After one, a commit may or may not have happened: read the checkpoint again.
public protocol ProjectionStore: Sendable {
    /// The stored checkpoint; a build's first one is made here. nil where the build is there no more, or is being removed: then
    /// none is made.
    func checkpoint(of build: BuildID, _ partition: PartitionID) async throws -> Checkpoint?

    /// The pointer document of a model, or nil where there is none.
    func pointer(to model: String) async throws -> ModelPointer?

    /// Lifts the freeze that a checkpoint was read with. False where it is frozen by another switch by now, or gone; one that
    /// is not frozen any more is left as it is.
    func thaw(_ checkpoint: Checkpoint) async throws -> Bool

    /// What was decided about events of the build's model from an offset on, and about elements that are no events, by
    /// offset: it holds for every build of the model.
    ///
    /// - Parameter keys: of the events; nil for all.
    func decisions(on build: BuildID, _ partition: PartitionID, from offset: Int64, keys: [String]?) async throws -> [Int64: Decision]

    /// Those of some keys that have an event below an offset that is parked in the build, and was not dropped.
    func keysWithLetters(in build: BuildID, _ partition: PartitionID, below offset: Int64, among keys: [String]) async throws -> Set<ExactString>

    /// What the build has met of types that its model does not name.
    func unknownTypes(of build: BuildID, _ partition: PartitionID) async throws -> [UnknownType]

    /// The log's next offset, as the session sees it.
    func logEnd(of partition: PartitionID) async throws -> Int64

    /// The stored documents of these keys, as BSON, in any order.
    func documents(of build: BuildID, keys: [String]) async throws -> [(key: String, bson: [UInt8])]

    /// What a build was loaded with of these keys, which are in order. Throws a `Refusal` where that is damaged or gone.
    func loaded(_ build: BuildID, _ partition: PartitionID, _ keys: [ExactString]) async throws -> [SnapshotRow]

    /// Keys of documents of a partition that have expired by then, those that did first; at most so many.
    func expired(in build: BuildID, _ partition: PartitionID, by time: Int64, most: Int) async throws -> [String]

    func commit(_ commit: Commit) async throws -> CommitReply

    /// Moves only the completeness of a checkpoint, outside a transaction.
    func note(_ complete: [ListCompleteness], in checkpoint: Checkpoint) async throws -> CommitReply

    /// The id of the server session that the transactions run in, which a lease names.
    func sessionId() async throws -> [UInt8]

    /// Ends the session and whatever is under way in it; the next call starts another.
    func reset() async
}

extension ProjectionStore {
    /// Where a build's history begins in a partition: with the log, or with what it was loaded with.
    func load(of build: BuildID, in partition: PartitionID) async throws -> Int64? {
        try await pointer(to: build.model)?.build(build)?.build.load(in: partition)
    }

    /// What the histories of some keys begin with in a build that was loaded, and where; nil where they begin with the log.
    public func beginning(
        of keys: Set<ExactString>, in build: BuildID, _ partition: PartitionID
    ) async throws -> (rows: [SnapshotRow], offset: Int64)? {
        guard let offset = try await load(of: build, in: partition) else { return nil }
        return (try await loaded(build, partition, keys.sorted()), offset)
    }
}

extension SnapshotStore {
    /// What a build was loaded with of some keys, which are in order.
    public func loaded(_ build: BuildID, _ partition: PartitionID, _ keys: [ExactString]) async throws -> [SnapshotRow] {
        guard let load = try await snapshots(of: partition).first(where: { $0.id.build == build && $0.purpose == .load && $0.isComplete }) else {
            throw FoldDefinition.loadGone(build, partition)
        }
        do {
            return try await SnapshotRows.rows(of: keys, in: load, self)
        } catch let damage as SnapshotDamaged {
            throw Refusal(.logDamaged, "\(FoldDefinition.loadGone(build, partition).message) (\(damage.what))")
        }
    }
}
