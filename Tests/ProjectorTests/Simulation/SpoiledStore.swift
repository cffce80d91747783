import Events
import Models
import Projector
import Synchronization
import Values

/// A store with one of the mistakes that concern checkpoints and documents.
struct SpoiledStore: SwitchStore {
    let base: any SwitchStore
    let world: World
    let worker: Int
    let mistake: Mistake
    let memory: SpoiledMemory
    /// Of whoever switches, the build that he switches to.
    var target: BuildID?

    func checkpoint(of build: BuildID, _ partition: PartitionID) async throws -> Checkpoint? {
        if mistake == .documentsReadBeforeCheckpoint {
            let documents = try await world.call(worker) { _, mongo in mongo.documents[build] ?? [:] }
            memory.state.withLock { state in
                state.documents[build] = Dictionary(documents.map { ($0.text, $1) }, uniquingKeysWith: { $1 })
            }
        }
        var checkpoint = try await base.checkpoint(of: build, partition)
        guard let target else { return checkpoint }
        if mistake == .frozenNotReached, build == target { checkpoint?.offset = .max }
        if mistake == .leftUnfrozen, build != target { checkpoint?.frozen = await world.mongo.pointers[build.model]?.entry?.id }
        return checkpoint
    }

    func pointer(to model: String) async throws -> ModelPointer? {
        let pointer = try await base.pointer(to: model)
        // Whoever does not see the switch lifts its freeze.
        guard mistake == .freezeLifted, target == nil, let entry = pointer?.entry else { return pointer }
        return pointer?.struckOut(entry.id) ?? pointer
    }

    func thaw(_ checkpoint: Checkpoint) async throws -> Bool { try await base.thaw(checkpoint) }

    func replace(_ pointer: ModelPointer, with changed: ModelPointer) async throws -> Bool { try await base.replace(pointer, with: changed) }

    func freeze(_ build: BuildID, _ partitions: [PartitionID], under id: String) async throws { try await base.freeze(build, partitions, under: id) }

    func view(of model: String) async throws -> BuildID? { try await base.view(of: model) }

    func pointView(at build: StoredBuild) async throws -> Bool { try await base.pointView(at: build) }

    func remove(_ build: BuildID) async throws { try await base.remove(build) }

    func clock() async throws -> Int64 { try await base.clock() }

    func keysWithLetters(in build: BuildID, _ partition: PartitionID, below offset: Int64, among keys: [String]) async throws -> Set<ExactString> {
        try await base.keysWithLetters(in: build, partition, below: offset, among: keys)
    }

    func decisions(on build: BuildID, _ partition: PartitionID, from offset: Int64, keys: [String]?) async throws -> [Int64: Decision] {
        try await base.decisions(on: build, partition, from: offset, keys: keys)
    }

    func unknownTypes(of build: BuildID, _ partition: PartitionID) async throws -> [UnknownType] {
        try await base.unknownTypes(of: build, partition)
    }

    func logEnd(of partition: PartitionID) async throws -> Int64 { try await base.logEnd(of: partition) }

    func documents(of build: BuildID, keys: [String]) async throws -> [(key: String, bson: [UInt8])] {
        let known = memory.state.withLock { $0.documents[build] }
        switch mistake {
        case .documentsReadBeforeCheckpoint: if let known { return keys.compactMap { key in known[key].map { (key, $0) } } }
        case .documentsRemembered:
            let found = try await base.documents(of: build, keys: keys.filter { known?[$0] == nil })
            memory.state.withLock { state in
                for (key, bson) in found { state.documents[build, default: [:]][key] = bson }
            }
            return found + keys.compactMap { key in known?[key].map { (key, $0) } }
        default: break
        }
        return try await base.documents(of: build, keys: keys)
    }

    func loaded(_ build: BuildID, _ partition: PartitionID, _ keys: [ExactString]) async throws -> [SnapshotRow] {
        try await base.loaded(build, partition, keys)
    }

    func expired(in build: BuildID, _ partition: PartitionID, by time: Int64, most: Int) async throws -> [String] {
        try await base.expired(in: build, partition, by: time, most: most)
    }

    func commit(_ commit: Commit) async throws -> CommitReply {
        let build = commit.from.build
        switch mistake {
        case .checkpointNotCompared:
            return try await world.call(worker) { _, mongo in
                var blind = commit
                blind.from = mongo.checkpoints[build] ?? commit.from
                return try mongo.commit(blind)
            }
        case .freezeNotCompared:
            return try await world.call(worker) { _, mongo in
                var blind = commit
                blind.from.frozen = mongo.checkpoints[build]?.frozen
                blind.to.frozen = blind.from.frozen
                return try mongo.commit(blind)
            }
        case .unknownCommitTakenForDone:
            do { return try await base.commit(commit) } catch is StoreLost { return .committed }
        case .documentsBeforeCheckpointMoves:
            let reply = try await world.call(worker) { _, mongo in
                let (checkpoints, deadLetters) = (mongo.checkpoints, mongo.deadLetters)
                defer { (mongo.checkpoints, mongo.deadLetters) = (checkpoints, deadLetters) }
                return try mongo.commit(commit)
            }
            guard reply == .committed else { return reply }
            return try await world.call(worker) { _, mongo in
                mongo.checkpoints[build] = commit.to
                mongo.deadLetters.formUnion(commit.deadLetters)
                return .committed
            }
        default: break
        }
        let reply = try await base.commit(commit)
        // What was written is read again; what was only looked at is not.
        memory.state.withLock { state in
            if mistake == .documentsReadBeforeCheckpoint { state.documents[build] = nil }
            for write in commit.writes { state.documents[build]?[write.key] = nil }
        }
        return reply
    }

    func note(_ complete: [ListCompleteness], in checkpoint: Checkpoint) async throws -> CommitReply {
        guard mistake == .completenessNotCompared else { return try await base.note(complete, in: checkpoint) }
        return try await world.call(worker) { _, mongo in
            var blind = checkpoint
            blind.complete = mongo.checkpoints[checkpoint.build]?.complete ?? []
            return mongo.note(complete, in: blind)
        }
    }

    func sessionId() async throws -> [UInt8] { try await base.sessionId() }

    func reset() async { await base.reset() }
}
