import Events
import Projector
import Synchronization

/// Mistakes that the protocol could have: each is made on the way between a worker and its stores, and the simulation must
/// find every one of them.
enum Mistake: String, CaseIterable, Sendable {
    // Ingest.
    case identityFromACounter, segmentOverwritten, segmentNotMarkedAsAdopted, identityNotCompared, releaseOfAnySegment
    case appendAcknowledgedEarly, collisionTakenForDone, progressReadBeforeTail, windowNotRead, fenceNotLifted
    // Reading one's own writes.
    case tailReadBeforeCut, segmentCountedAsComplete, completenessNotCompared
    // Project.
    case checkpointNotCompared, documentsReadBeforeCheckpoint, documentsRemembered, unknownCommitTakenForDone, documentsBeforeCheckpointMoves
    case repairWithoutGeneration
    // Switch.
    case leftUnfrozen, frozenNotReached, freezeNotCompared, freezeLifted

    func spoil(_ ports: inout Ports, _ world: World, _ worker: Int) {
        let memory = SpoiledMemory()
        ports.buffer = SpoiledBuffer(base: ports.buffer, log: ports.log, world: world, worker: worker, mistake: self, memory: memory)
        ports.log = SpoiledLog(base: ports.log, world: world, worker: worker, mistake: self, memory: memory)
        ports.store = SpoiledStore(base: ports.store, world: world, worker: worker, mistake: self, memory: memory)
        ports.leases = SpoiledLeases(base: ports.leases, mistake: self)
    }
}

/// What a worker that makes a mistake keeps for later.
final class SpoiledMemory: Sendable {
    struct State {
        var tail: LogTail?
        var progress: (identity: String, progress: SegmentProgress)?
        var unwritten: Chunk?
        var documents: [BuildID: [String: [UInt8]]] = [:]
    }

    let state = Mutex(State())
}

private struct SpoiledLeases: LeaseStore {
    let base: any LeaseStore
    let mistake: Mistake

    func acquire(_ partition: PartitionID, holder: LeaseHolder, duration: Duration) async throws -> LeaseReply {
        try await base.acquire(partition, holder: holder, duration: duration)
    }

    func renew(_ lease: Lease, duration: Duration) async throws -> Bool { try await base.renew(lease, duration: duration) }

    func lift(_ lease: Lease, above fence: Int64) async throws -> Lease? {
        let lifted = try await base.lift(lease, above: fence)
        return mistake == .fenceNotLifted ? lifted.map { _ in lease } : lifted
    }

    func store(_ crashes: CrashHistory, in lease: Lease) async throws -> Bool { try await base.store(crashes, in: lease) }

    func endDeadRepairs(of partition: PartitionID) async throws { try await base.endDeadRepairs(of: partition) }

    func release(_ lease: Lease) async throws { try await base.release(lease) }
}

private struct SpoiledLog: EventLog {
    let base: any EventLog
    let world: World
    let worker: Int
    let mistake: Mistake
    let memory: SpoiledMemory

    /// Writes what was said to be written already.
    private func settle() async throws {
        let unwritten = memory.state.withLock { state in
            defer { state.unwritten = nil }
            return state.unwritten
        }
        if let unwritten { _ = try await base.append(unwritten) }
    }

    func tail(of partition: PartitionID) async throws -> LogTail {
        try await settle()
        let earlier = memory.state.withLock { state in
            defer { state.tail = nil }
            return state.tail
        }
        if let earlier { return earlier }
        return try await base.tail(of: partition)
    }

    func windowStart(of partition: PartitionID, tail: LogTail, bounds: DedupeWindow.Bounds) async throws -> Int64 {
        mistake == .windowNotRead ? tail.offset : try await base.windowStart(of: partition, tail: tail, bounds: bounds)
    }

    func digests(of partition: PartitionID, from offset: Int64, below end: Int64) async throws -> [ChunkDigests] {
        try await base.digests(of: partition, from: offset, below: end)
    }

    func progress(of partition: PartitionID, segment identity: String) async throws -> SegmentProgress {
        let earlier = memory.state.withLock { $0.progress }
        if let earlier, earlier.identity == identity { return earlier.progress }
        return try await base.progress(of: partition, segment: identity)
    }

    func clock() async throws -> Int64 {
        try await settle()
        return try await base.clock()
    }

    func append(_ chunk: Chunk) async throws -> AppendReply {
        switch mistake {
        case .appendAcknowledgedEarly:
            memory.state.withLock { $0.unwritten = chunk }
            return .appended
        case .collisionTakenForDone:
            _ = try await base.append(chunk)
            return .appended
        case .progressReadBeforeTail:
            // The unique index over segment and index would be enough to prevent the worst.
            return try await world.call(worker) { _, mongo in mongo.append(chunk, isIndexUnique: false) }
        default: return try await base.append(chunk)
        }
    }

    func chunks(of partition: PartitionID, from offset: Int64, events: Int) async throws -> [Chunk] {
        try await base.chunks(of: partition, from: offset, events: events)
    }

    func chunks(of partition: PartitionID, withKeys keys: [String], _ offsets: Range<Int64>) async throws -> [Chunk] {
        try await base.chunks(of: partition, withKeys: keys, offsets)
    }
}
