import Events
import Models
import Projector
import Reads
import Synchronization
import Values

private struct ServerFailure: StoreFailure {
    var isRetriable = true
    var problem: Problem { .serverUnreachable }
    var description: String { "failed" }
}

/// A replica set in memory, which answers, fails and waits as it is told.
public final class ServersInMemory: ReadConnection {
    public struct State {
        public var servers = [ReadServer(name: "p", isPrimary: true, lastWrite: 0), ReadServer(name: "a", isPrimary: false, lastWrite: 0)]
        public var failing: Set<String> = []
        public var live = BuildID(model: "product", number: 1)
        /// Ids by build.
        public var documents: [Int: Set<String>] = [1: ["a", "b"]]
        public var time: UInt32 = 100
        /// How far the build is, and whose events were between.
        public var offset: Int64 = 7
        public var generation: Int64 = 3
        public var changed: [String]? = []
        /// What every read was asked: at which server, after when, and for which ids.
        public var reads: [(server: String, after: OperationTime?, build: Int, ids: [String])] = []
        public var views = 0
        /// Called before a read of documents is answered.
        public var before: @Sendable (inout State) -> Void = { _ in }
        /// Whether what does not fit into one answer is left out.
        public var mostDocuments = Int.max
        /// Reads of documents wait here; nil where none has to.
        public var gate: [CheckedContinuation<Void, Never>]?
    }

    /// The model that they have, in one partition.
    public static let model = ReadModel(
        Model(name: "product", stream: "product", fold: EffectFold([:]), source: "", foldHash: "", stoppingHash: ""), partitions: 1)
    public static let partition = PartitionID(stream: "product", number: 0)

    public let state = Mutex(State())

    public init() {}

    public var executor: (any TaskExecutor)? { nil }

    public func servers(for place: ReadPlace) async -> [ReadServer] { state.withLock(\.servers) }

    public func view(of partitions: [PartitionID], _ attempt: ReadAttempt) async throws -> ServerView {
        try state.withLock { state in
            if state.failing.contains(attempt.server.name) { throw ServerFailure() }
            state.views += 1
            var checkpoint = Checkpoint(build: state.live, partition: Self.partition)
            checkpoint.offset = state.offset
            checkpoint.generation = state.generation
            return ServerView(
                live: ["product": state.live], revision: Int64(state.live.number), checkpoints: [checkpoint], ends: [checkpoint.partition: state.offset],
                clock: 0,
                operationTime: OperationTime(seconds: state.time, increment: 0), taken: .now)
        }
    }

    public func documents(of build: BuildID, ids: [String], names: [String]?, _ attempt: ReadAttempt) async throws -> ReadDocuments {
        await withCheckedContinuation { continuation in
            let isOpen = state.withLock { state in
                guard state.gate != nil else { return true }
                state.gate?.append(continuation)
                return false
            }
            if isOpen { continuation.resume() }
        }
        return try state.withLock { state in
            state.before(&state)
            state.reads.append((attempt.server.name, attempt.after, build.number, ids.sorted()))
            if state.failing.contains(attempt.server.name) { throw ServerFailure() }
            state.time += 1
            let found = ids.filter { state.documents[build.number]?.contains($0) ?? false }
            let documents = found.prefix(state.mostDocuments).map { id in
                RawDocument(
                    StoredDocument(key: id, position: DocumentPosition(partition: 0, offset: 5, time: 0), fields: ["n": .int32(Int32(build.number))]).bson)
            }
            return ReadDocuments(
                documents: documents, isWhole: documents.count == found.count, operationTime: OperationTime(seconds: state.time, increment: 0))
        }
    }

    public func changedKeys(of partition: PartitionID, _ offsets: Range<Int64>, _ attempt: ReadAttempt) async throws -> [String]? {
        try state.withLock { state in
            if state.failing.contains(attempt.server.name) { throw ServerFailure() }
            return state.changed
        }
    }

    public func page(of build: BuildID, _ page: PageRequest, _ attempt: ReadAttempt) async throws -> ReadDocuments {
        try await documents(of: build, ids: ["a", "b"], names: page.names, attempt)
    }

    /// Lets what waits at the gate go on, and what comes too.
    public func open() {
        let waiting = state.withLock { state in
            defer { state.gate = nil }
            return state.gate ?? []
        }
        for waiter in waiting { waiter.resume() }
    }
}
