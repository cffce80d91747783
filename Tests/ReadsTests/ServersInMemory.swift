import Events
import Models
import Projector
import Synchronization
import Testing
import Values

@testable import Reads

private struct ServerFailure: StoreFailure {
    var isRetriable = true
    var problem: Problem { .serverUnreachable }
    var description: String { "failed" }
}

/// A replica set in memory, which answers, fails and waits as it is told.
final class ServersInMemory: ReadConnection {
    struct State {
        var servers = [ReadServer(name: "p", isPrimary: true, lastWrite: 0), ReadServer(name: "a", isPrimary: false, lastWrite: 0)]
        var failing: Set<String> = []
        var live = BuildID(model: "product", number: 1)
        /// Ids by build.
        var documents: [Int: Set<String>] = [1: ["a", "b"]]
        var time: UInt32 = 100
        /// How far the build is, and whose events were between.
        var offset: Int64 = 7
        var generation: Int64 = 3
        var changed: [String]? = []
        /// What every read was asked: at which server, after when, and for which ids.
        var reads: [(server: String, after: OperationTime?, build: Int, ids: [String])] = []
        var views = 0
        /// Called before a read of documents is answered.
        var before: @Sendable (inout State) -> Void = { _ in }
        /// Whether what does not fit into one answer is left out.
        var mostDocuments = Int.max
        var gate: [CheckedContinuation<Void, Never>]?
    }

    let state = Mutex(State())

    var executor: (any TaskExecutor)? { nil }

    func servers(for place: ReadPlace) async -> [ReadServer] { state.withLock(\.servers) }

    func view(of partitions: [PartitionID], _ attempt: ReadAttempt) async throws -> ServerView {
        try state.withLock { state in
            if state.failing.contains(attempt.server.name) { throw ServerFailure() }
            state.views += 1
            var checkpoint = Checkpoint(build: state.live, partition: PartitionID(stream: "product", number: 0))
            checkpoint.offset = state.offset
            checkpoint.generation = state.generation
            return ServerView(
                live: ["product": state.live], revision: Int64(state.live.number), checkpoints: [checkpoint], ends: [checkpoint.partition: state.offset],
                clock: 0,
                operationTime: OperationTime(seconds: state.time, increment: 0), taken: .now)
        }
    }

    func documents(of build: BuildID, ids: [String], names: [String]?, _ attempt: ReadAttempt) async throws -> ReadDocuments {
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

    func changedKeys(of partition: PartitionID, _ offsets: Range<Int64>, _ attempt: ReadAttempt) async throws -> [String]? {
        try state.withLock { state in
            if state.failing.contains(attempt.server.name) { throw ServerFailure() }
            return state.changed
        }
    }

    func page(of build: BuildID, _ page: PageRequest, _ attempt: ReadAttempt) async throws -> ReadDocuments {
        try await documents(of: build, ids: ["a", "b"], names: page.names, attempt)
    }

    func open() {
        let waiting = state.withLock { state in
            defer { state.gate = nil }
            return state.gate ?? []
        }
        for waiter in waiting { waiter.resume() }
    }
}

/// Lookups over servers in memory.
protocol LookupSuite {
    var servers: ServersInMemory { get }
    var lookups: Lookups { get }
}

extension LookupSuite {
    /// Other tests may keep every thread busy for long.
    static var limit: Duration { .seconds(300) }

    static func site(caches: [String: ReadCache] = [:]) -> ReadSite {
        ReadSite(partitions: [PartitionID(stream: "product", number: 0)], caches: caches)
    }

    static var model: ReadModel {
        ReadModel(Model(name: "product", stream: "product", fold: EffectFold([:]), source: "", foldHash: "", stoppingHash: ""), partitions: 1)
    }

    func look(
        _ id: String, at place: ReadPlace = Self.model.place, after: OperationTime? = nil, within time: Duration = limit
    ) async throws(ReadFailure) -> LookupAnswer {
        try await lookups.result(of: id, in: Self.model, at: place, names: nil, after: after, until: .now + time).get()
    }

    func until(_ condition: @Sendable (ServersInMemory.State) -> Bool, meanwhile work: () async throws -> Void = {}) async throws {
        let began = ContinuousClock.now
        while !servers.state.withLock({ condition($0) }) {
            try #require(.now - began < Self.limit)
            try await work()
            try await Task.sleep(for: .milliseconds(2))
        }
    }
}
