import Events
import Projector
import Synchronization

/// A buffer with one of the mistakes that concern Redis, or what is read just before and after a cut.
struct SpoiledBuffer: SegmentBuffer {
    let base: any SegmentBuffer
    let log: any EventLog
    let world: World
    let worker: Int
    let mistake: Mistake
    let memory: SpoiledMemory

    private static let partition = PartitionID(stream: "test", number: 0)

    var list: String { base.list }

    func cut(epoch: Int64, identity: String) async throws -> CutReply {
        switch mistake {
        case .identityFromACounter:
            return try await world.call(worker) { redis, _ in redis.cut(epoch: epoch, identity: "segment \(redis.cuts + 1)") }
        case .segmentOverwritten:
            return try await world.call(worker) { redis, _ in
                if !redis.list.isEmpty, epoch >= redis.fence { redis.segment = nil }
                return redis.cut(epoch: epoch, identity: identity)
            }
        case .tailReadBeforeCut:
            let tail = try await log.tail(of: Self.partition)
            let reply = try await base.cut(epoch: epoch, identity: identity)
            memory.state.withLock { $0.tail = tail }
            return reply
        default: break
        }
        let reply = try await base.cut(epoch: epoch, identity: identity)
        guard case .cut(var segment?, var complete) = reply else { return reply }
        switch mistake {
        case .segmentNotMarkedAsAdopted: segment.adopted = false
        case .segmentCountedAsComplete: complete.cuts += 1
        case .progressReadBeforeTail:
            let progress = try await log.progress(of: Self.partition, segment: segment.identity)
            memory.state.withLock { $0.progress = (segment.identity, progress) }
        default: break
        }
        return .cut(segment, complete: complete)
    }

    func read(identity: String, from: Int64, count: Int) async throws -> RawElements? {
        guard mistake == .identityNotCompared else { return try await base.read(identity: identity, from: from, count: count) }
        return try await world.call(worker) { redis, _ in
            redis.read(identity: redis.identity ?? "", from: from, count: count, limit: .kibibytes(1))
        }
    }

    func release(epoch: Int64, identity: String, oversize: [Int64]) async throws -> ReleaseReply {
        guard mistake == .releaseOfAnySegment else { return try await base.release(epoch: epoch, identity: identity, oversize: oversize) }
        let found = try await world.call(worker) { redis, _ in redis.identity }
        return try await base.release(epoch: epoch, identity: found ?? identity, oversize: oversize)
    }

    func token() async throws -> BufferToken { try await base.token() }

    func waiting() async throws -> BufferState { try await base.waiting() }
}
