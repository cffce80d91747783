import Events
import MongoStore
import Projector
import Values

/// Somebody who writes documents of a build once, at the worst moment: right before a commit.
actor Meddler {
    private var deed: (@Sendable () async throws -> Void)?

    func prepare(_ deed: @escaping @Sendable () async throws -> Void) { self.deed = deed }

    fileprivate func act() async throws {
        let deed = deed
        self.deed = nil
        try await deed?()
    }
}

/// The real store, with a meddler beside it.
struct MeddledStore: ProjectionStore {
    let store: MongoProjectionStore
    let meddler: Meddler

    func commit(_ commit: Commit) async throws -> CommitReply {
        try await meddler.act()
        return try await store.commit(commit)
    }

    func checkpoint(of build: BuildID, _ partition: PartitionID) async throws -> Checkpoint? { try await store.checkpoint(of: build, partition) }

    func pointer(to model: String) async throws -> ModelPointer? { try await store.pointer(to: model) }

    func thaw(_ checkpoint: Checkpoint) async throws -> Bool { try await store.thaw(checkpoint) }
    func keysWithLetters(in build: BuildID, _ partition: PartitionID, below offset: Int64, among keys: [String]) async throws -> Set<ExactString> {
        try await store.keysWithLetters(in: build, partition, below: offset, among: keys)
    }

    func decisions(on build: BuildID, _ partition: PartitionID, from offset: Int64, keys: [String]?) async throws -> [Int64: Decision] {
        try await store.decisions(on: build, partition, from: offset, keys: keys)
    }

    func unknownTypes(of build: BuildID, _ partition: PartitionID) async throws -> [UnknownType] {
        try await store.unknownTypes(of: build, partition)
    }

    func logEnd(of partition: PartitionID) async throws -> Int64 { try await store.logEnd(of: partition) }
    func documents(of build: BuildID, keys: [String]) async throws -> [(key: String, bson: [UInt8])] { try await store.documents(of: build, keys: keys) }
    func loaded(_ build: BuildID, _ partition: PartitionID, _ keys: [ExactString]) async throws -> [SnapshotRow] {
        try await store.loaded(build, partition, keys)
    }
    func expired(in build: BuildID, _ partition: PartitionID, by time: Int64, most: Int) async throws -> [String] {
        try await store.expired(in: build, partition, by: time, most: most)
    }

    func note(_ complete: [ListCompleteness], in checkpoint: Checkpoint) async throws -> CommitReply { try await store.note(complete, in: checkpoint) }
    func sessionId() async throws -> [UInt8] { try await store.sessionId() }
    func reset() async { await store.reset() }
}
