import Events
import Projector
import Values

/// A member of the replica set that can be read from, as it was last heard of.
public struct ReadServer: Hashable, Sendable {
    /// Host and port.
    public var name: String
    public var isPrimary: Bool
    /// The last write that it has, by its own clock: milliseconds since 1970.
    public var lastWrite: Int64

    public init(name: String, isPrimary: Bool, lastWrite: Int64) {
        self.name = name
        self.isPrimary = isPrimary
        self.lastWrite = lastWrite
    }
}

/// What one server says of all models. What is read from the same server afterwards is at least as new.
public struct ServerView: Sendable {
    /// The builds that readers see, by model.
    public var live: [String: BuildID]
    /// Rises whenever one of them may have changed.
    public var revision: Int64
    public var checkpoints: [Checkpoint]
    /// The logs' ends: the next offset of each partition.
    public var ends: [PartitionID: Int64]
    /// The server's clock: milliseconds since 1970.
    public var clock: Int64
    public var operationTime: OperationTime
    /// When it was asked for.
    public var taken: ContinuousClock.Instant

    public init(
        live: [String: BuildID], revision: Int64, checkpoints: [Checkpoint], ends: [PartitionID: Int64], clock: Int64, operationTime: OperationTime,
        taken: ContinuousClock.Instant
    ) {
        self.live = live
        self.revision = revision
        self.checkpoints = checkpoints
        self.ends = ends
        self.clock = clock
        self.operationTime = operationTime
        self.taken = taken
    }

    public func checkpoint(of build: BuildID, _ partition: PartitionID) -> Checkpoint? {
        checkpoints.first { $0.build == build && $0.partition == partition }
    }

    /// The server's clock now: milliseconds since 1970.
    public var now: Int64 { clock + (ContinuousClock.now - taken).milliseconds }

    /// How far a build is behind the log, as this server has them: milliseconds since what is to be applied next can have been
    /// logged. 0 where there is nothing, or where nothing has been applied yet.
    public func lag(of build: BuildID, _ partition: PartitionID) -> Int64 {
        guard let end = ends[partition], let checkpoint = checkpoint(of: build, partition), checkpoint.offset < end, checkpoint.time > 0 else { return 0 }
        return max(0, clock - checkpoint.time)
    }
}

/// Where and how a read is made: one attempt at one server.
public struct ReadAttempt: Sendable {
    public var server: ReadServer
    /// What is read must hold everything up to there.
    public var after: OperationTime?
    /// How long the server may take.
    public var limit: Duration

    public init(server: ReadServer, after: OperationTime? = nil, limit: Duration) {
        self.server = server
        self.after = after
        self.limit = limit
    }
}

/// Documents that were read, and when in the replica set's history.
public struct ReadDocuments: Sendable {
    public var documents: [RawDocument]
    /// Whether nothing was left out for the size of the answer.
    public var isWhole: Bool
    public var operationTime: OperationTime

    public init(documents: [RawDocument], isWhole: Bool = true, operationTime: OperationTime) {
        self.documents = documents
        self.isWhole = isWhole
        self.operationTime = operationTime
    }
}

/// One connection to the replica set, for one read at a time. Reads are majority reads.
public protocol ReadConnection: Sendable {
    /// Where its reads are made, for whoever makes many of them; nil for anywhere.
    var executor: (any TaskExecutor)? { get }

    /// The servers that are known; waits a moment where none of them will do.
    func servers(for place: ReadPlace) async -> [ReadServer]

    /// - Parameter partitions: whose logs' ends are to be in it.
    func view(of partitions: [PartitionID], _ attempt: ReadAttempt) async throws -> ServerView

    /// The documents of a build that have these ids, in any order.
    ///
    /// - Parameter names: the fields that are needed besides Millrace's own; nil for all.
    func documents(of build: BuildID, ids: [String], names: [String]?, _ attempt: ReadAttempt) async throws -> ReadDocuments

    /// The keys of the events of a part of the log, and perhaps some of those before it; nil where there is too much to be worth it.
    func changedKeys(of partition: PartitionID, _ offsets: Range<Int64>, _ attempt: ReadAttempt) async throws -> [String]?

    /// A page of the documents of a build.
    func page(of build: BuildID, _ page: PageRequest, _ attempt: ReadAttempt) async throws -> ReadDocuments
}
