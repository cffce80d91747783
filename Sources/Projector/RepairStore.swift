import Events
import Models
import Values

/// What a repair of a build's documents needs beside what its projection does. All calls go through one session, and those
/// between `begin` and `commit` are part of one transaction, the log's among them.
public protocol RepairStore: ProjectionStore {
    /// Every checkpoint of a partition.
    func checkpoints(of partition: PartitionID) async throws -> [Checkpoint]

    /// The dead letters of these that are there.
    func letters(_ ids: [DeadLetterID]) async throws -> [DeadLetter]

    /// A build's dead letters in a range of offsets.
    ///
    /// - Parameter keys: of their events; nil for all.
    func letters(of build: BuildID, _ partition: PartitionID, keys: [String]?, _ offsets: Range<Int64>) async throws -> [DeadLetter]

    /// Starts a transaction. Rule 17: its first write raises the generation of these checkpoints; with none, it only looks.
    /// False, and nothing is begun, when somebody else has raised one of them or frozen it.
    func begin(_ checkpoints: [Checkpoint]) async throws -> Bool

    /// Ends the transaction with these writes. A reply other than `committed` means that nothing happened.
    func commit(_ repair: Repair) async throws -> CommitReply

    /// Ends the transaction, if one is under way, with nothing done.
    func abandon() async
}

/// What a repair writes, beside the generations.
public struct Repair: Sendable {
    public var build: BuildID
    public var partition: PartitionID
    /// What is to be added to what the checkpoints count.
    public var totals: [BuildID: ProjectionTotals] = [:]
    public var writes: [DocumentWrite] = []
    /// The same of builds that are kept current beside it.
    public var keptWrites: [BuildID: [DocumentWrite]] = [:]
    /// Dead letters as they are to be.
    public var letters: [DeadLetter] = []
    /// Dead letters that are none any more.
    public var removed: [DeadLetterID] = []
    /// Ids of documents to remove that are no strings.
    public var foreign: [Value] = []

    public init(build: BuildID, partition: PartitionID) {
        self.build = build
        self.partition = partition
    }

    /// Whether there is nothing to write.
    public var isEmpty: Bool { totals.isEmpty && writes.isEmpty && keptWrites.isEmpty && foreign.isEmpty && letters.isEmpty && removed.isEmpty }
}
