import Events
import Models
import Projector
import Values

// One worker's connections to the world.

struct FakeBuffer: SegmentBuffer {
    let world: World
    let worker: Int
    let limit: ByteCount
    var number = 0
    var list: String { Self.list(number) }

    static func list(_ number: Int) -> String { "events:{test\(number == 0 ? "" : "-\(number)")}" }

    func cut(epoch: Int64, identity: String) async throws -> CutReply {
        let list = list
        return try await world.call(worker, list: number) { redis, mongo in
            let before = redis.cuts
            let reply = redis.cut(epoch: epoch, identity: identity)
            if redis.cuts > before, let segment = redis.segment {
                mongo.witness.cut(segment, of: list, as: BufferToken(run: redis.run, cuts: redis.cuts))
            }
            return reply
        }
    }

    func read(identity: String, from: Int64, count: Int) async throws -> RawElements? {
        let limit = limit
        return try await world.call(worker, list: number) { redis, _ in redis.read(identity: identity, from: from, count: count, limit: limit) }
    }

    func release(epoch: Int64, identity: String, oversize: [Int64]) async throws -> ReleaseReply {
        try await world.call(worker, list: number) { redis, mongo in
            let segment = redis.segment
            let reply = redis.release(epoch: epoch, identity: identity, oversize: oversize)
            if reply == .released { mongo.damage += mongo.witness.missing(segment ?? []).map { "left Redis without being in the log: \($0)" } }
            return reply
        }
    }

    func token() async throws -> BufferToken { try await world.call(worker, list: number) { redis, _ in redis.token } }

    func waiting() async throws -> BufferState {
        try await world.call(worker, list: number) { redis, _ in
            BufferState(waiting: Int64(redis.list.count), inSegment: Int64(redis.segment?.count ?? 0), oversize: Int64(redis.oversize.count), oldest: nil)
        }
    }
}

struct FakeLog: EventLog {
    let world: World
    let worker: Int

    func tail(of partition: PartitionID) async throws -> LogTail { try await world.call(worker) { _, mongo in mongo.tail() } }

    func windowStart(of partition: PartitionID, tail: LogTail, bounds: DedupeWindow.Bounds) async throws -> Int64 {
        try await world.call(worker) { _, mongo in mongo.windowStart(tail, bounds) }
    }

    func digests(of partition: PartitionID, from offset: Int64, below end: Int64) async throws -> [ChunkDigests] {
        try await world.call(worker) { _, mongo in mongo.digests(from: offset, below: end) }
    }

    func progress(of partition: PartitionID, segment identity: String) async throws -> SegmentProgress {
        try await world.call(worker) { _, mongo in mongo.progress(identity) }
    }

    func clock() async throws -> Int64 { try await world.call(worker) { _, mongo in mongo.clock } }

    func append(_ chunk: Chunk) async throws -> AppendReply { try await world.call(worker) { _, mongo in mongo.append(chunk) } }

    func chunks(of partition: PartitionID, from offset: Int64, events: Int) async throws -> [Chunk] {
        try await world.call(worker) { _, mongo in mongo.chunks(from: offset, events: events) }
    }

    /// Two a page, so that there are several.
    func chunks(of partition: PartitionID, withKeys keys: [String], _ offsets: Range<Int64>) async throws -> [Chunk] {
        let keys = Set(keys.map { ExactString($0) })
        return try await world.call(worker) { _, mongo in
            Array(mongo.chunks { $0.offset < offsets.upperBound && $0.end > offsets.lowerBound && !keys.isDisjoint(with: $0.keys) }.prefix(2))
        }
    }
}

struct FakeStore: SwitchStore {
    let world: World
    let worker: Int

    func checkpoint(of build: BuildID, _ partition: PartitionID) async throws -> Checkpoint? {
        try await world.call(worker) { _, mongo in mongo.checkpoint(build, partition) }
    }

    func pointer(to model: String) async throws -> ModelPointer? { try await world.call(worker) { _, mongo in mongo.pointers[model] } }

    func thaw(_ checkpoint: Checkpoint) async throws -> Bool { try await world.call(worker) { _, mongo in mongo.thaw(checkpoint) } }

    func replace(_ pointer: ModelPointer, with changed: ModelPointer) async throws -> Bool {
        try await world.call(worker) { _, mongo in mongo.replace(pointer, with: changed) }
    }

    func freeze(_ build: BuildID, _ partitions: [PartitionID], under id: String) async throws {
        try await world.call(worker) { _, mongo in mongo.checkpoints[build]?.frozen = id }
    }

    func view(of model: String) async throws -> BuildID? { try await world.call(worker) { _, mongo in mongo.views[model] } }

    func pointView(at build: StoredBuild) async throws -> Bool {
        try await world.call(worker) { _, mongo in
            mongo.views[build.id.model] = build.id
            return true
        }
    }

    func remove(_ build: BuildID) async throws {
        try await world.call(worker) { _, mongo in
            mongo.checkpoints[build] = nil
            mongo.documents[build] = nil
            mongo.deadLetters = mongo.deadLetters.filter { $0.build != build || $0.decision != nil }
            mongo.unknownTypes[build] = nil
        }
    }

    func clock() async throws -> Int64 { try await world.call(worker) { _, mongo in mongo.clock } }

    func keysWithLetters(in build: BuildID, _ partition: PartitionID, below offset: Int64, among keys: [String]) async throws -> Set<ExactString> {
        try await world.call(worker) { _, mongo in
            let letters = mongo.deadLetters.filter { $0.build == build && $0.offset < offset && $0.decision != .dropped }
            return Set(letters.compactMap { $0.key.map { ExactString($0) } }).intersection(keys.map { ExactString($0) })
        }
    }

    func decisions(on build: BuildID, _ partition: PartitionID, from offset: Int64, keys: [String]?) async throws -> [Int64: Decision] {
        try await world.call(worker) { _, mongo in
            let letters = mongo.deadLetters.filter { letter in
                letter.offset >= offset && letter.build?.model ?? build.model == build.model
                    && keys.map { keys in letter.key.map { key in keys.contains { $0.utf8Equal(key) } } ?? false } ?? true
            }
            return Dictionary(letters.compactMap { letter in letter.decision.map { (letter.offset, $0) } }, uniquingKeysWith: { $1 })
        }
    }

    func unknownTypes(of build: BuildID, _ partition: PartitionID) async throws -> [UnknownType] {
        // No call of its own: it is read with the checkpoint, and only names are taken from it.
        Array((await world.mongo.unknownTypes[build] ?? [:]).values)
    }

    func logEnd(of partition: PartitionID) async throws -> Int64 { try await world.call(worker) { _, mongo in mongo.end } }

    func documents(of build: BuildID, keys: [String]) async throws -> [(key: String, bson: [UInt8])] {
        try await world.call(worker) { _, mongo in
            keys.compactMap { key in mongo.documents[build]?[ExactString(key)].map { (key, $0) } }
        }
    }

    /// Nothing is loaded here.
    func loaded(_ build: BuildID, _ partition: PartitionID, _ keys: [ExactString]) async throws -> [SnapshotRow] { [] }

    func expired(in build: BuildID, _ partition: PartitionID, by time: Int64, most: Int) async throws -> [String] {
        try await world.call(worker) { _, mongo in
            let documents = try (mongo.documents[build] ?? [:]).values.compactMap { StoredDocument(try Document(bson: $0)) }
            let expired = documents.filter { $0.isExpired(at: time) }.sorted { ($0.expires ?? 0, ExactString($0.key)) < ($1.expires ?? 0, ExactString($1.key)) }
            return expired.prefix(most).map(\.key)
        }
    }

    func commit(_ commit: Commit) async throws -> CommitReply { try await world.call(worker) { _, mongo in try mongo.commit(commit) } }

    func note(_ complete: [ListCompleteness], in checkpoint: Checkpoint) async throws -> CommitReply {
        try await world.call(worker) { _, mongo in mongo.note(complete, in: checkpoint) }
    }

    func sessionId() async throws -> [UInt8] { try await world.call(worker) { _, _ in [UInt8(worker)] } }

    func reset() async {}
}
