import Events

/// The time-limited right to work on a partition, by MongoDB's clock. It saves work; safety does not rest on it.
public protocol LeaseStore: Sendable {
    /// Takes the lease if it is free, has run out, or is the caller's.
    func acquire(_ partition: PartitionID, holder: LeaseHolder, duration: Duration) async throws -> LeaseReply

    /// Extends the lease. False when somebody else has it.
    func renew(_ lease: Lease, duration: Duration) async throws -> Bool

    /// Lifts the lease's epoch above a fence found in Redis. nil when somebody else has it.
    func lift(_ lease: Lease, above fence: Int64) async throws -> Lease?

    /// Keeps the crash history with the lease. False when somebody else has it.
    func store(_ crashes: CrashHistory, in lease: Lease) async throws -> Bool

    /// Ends what a repair of the partition has left open that died, which would block the projection for more than a minute.
    func endDeadRepairs(of partition: PartitionID) async throws

    /// Gives the lease back, so that nobody has to wait for it to run out.
    func release(_ lease: Lease) async throws
}

extension PartitionID {
    /// What whoever repairs documents of the partition has a lease on, while its transaction is open: the colon keeps it
    /// apart from every stream.
    public var repairs: PartitionID { PartitionID(stream: "repair:\(stream)", number: number) }

    /// What somebody does alone with something: `builds:product`.
    public static func work(_ kind: String, on name: String) -> PartitionID { PartitionID(stream: "\(kind):\(name)", number: 0) }
}

/// Who holds leases: one worker, with the server sessions it writes through.
public struct LeaseHolder: Hashable, Sendable {
    /// Random for each start of a worker.
    public var id: String
    /// The ids of its MongoDB server sessions (16 bytes each): whoever takes a lease over kills them first, since a
    /// dead worker's open transaction blocks the checkpoint for more than a minute.
    public var sessions: [[UInt8]]

    public init(id: String, sessions: [[UInt8]]) {
        self.id = id
        self.sessions = sessions
    }
}

public struct Lease: Hashable, Sendable {
    public var partition: PartitionID
    public var holder: LeaseHolder
    public var epoch: Int64
    /// As it was when the lease was acquired.
    public var crashes: CrashHistory
    /// The holder before let the lease run out.
    public var isAfterDeath: Bool

    public init(partition: PartitionID, holder: LeaseHolder, epoch: Int64, crashes: CrashHistory = CrashHistory(), isAfterDeath: Bool = false) {
        self.partition = partition
        self.holder = holder
        self.epoch = epoch
        self.crashes = crashes
        self.isAfterDeath = isAfterDeath
    }
}

public enum LeaseReply: Hashable, Sendable {
    case acquired(Lease)
    case held(by: String)
}
