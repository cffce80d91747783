import Events
import Projector

/// What a job works with: the partitions of an installation, and what is known of them.
public protocol Workplace: Sendable {
    /// A name for this process in receipts and leases, random for each start.
    var owner: String { get }

    /// The partitions of these streams; of all streams when the list is empty.
    func partitions(of streams: [String]) -> [PartitionID]

    /// A worker for a partition, with connections of its own.
    func worker(for partition: PartitionID, poll: Duration, stop: StopSignal) async throws -> PartitionWorker

    func reading(of partition: PartitionID) async throws -> PartitionReading

    /// What must be complete for everything pushed so far to be applied.
    func token(of partition: PartitionID) async throws -> BufferToken

    /// Whether everything up to the token has taken effect in every build that readers see and that is projected, and is
    /// logged for those that are stopped.
    ///
    /// - Parameters:
    ///   - offset: up to which the log has taken effect too: what was imported came from no list.
    ///   - stopped: builds that are; nil for those whose checkpoints say so.
    func isComplete(_ partition: PartitionID, upTo token: BufferToken, and offset: Int64, stopped: Set<BuildID>?) async throws -> Completion

    /// Where the partition's last receipt ended.
    func lastReceipt(of partition: PartitionID) async throws -> LastReceipt

    /// Stores a receipt. One that continues receipts which another one has continued meanwhile is refused.
    func record(_ run: RunRecord) async throws

    /// Removes receipts that are older. Returns how many.
    func pruneRuns(keeping keep: Duration) async throws -> Int64
}

/// How far a partition is towards a token.
public enum Completion: Hashable, Sendable {
    case complete
    /// The number changes whenever anything moves: events, log or checkpoints.
    case underWay(progress: Int)
    /// Redis restarted since the token was taken.
    case otherRun
}
