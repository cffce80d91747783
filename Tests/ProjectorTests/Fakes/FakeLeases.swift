import Events
import Projector

/// Leases as MongoDB keeps them, by the world's clock.
struct FakeLeases: LeaseStore {
    let world: World
    let worker: Int

    /// The lease of the one partition there is.
    struct State: Sendable {
        var lease: Lease?
        var crashes = CrashHistory()
        var until = Duration.zero
        /// Everybody who asks has the lease, and keeps it.
        var isEverybodys = false
        var renewals = 0
        var takeovers = 0
    }

    func acquire(_ partition: PartitionID, holder: LeaseHolder, duration: Duration) async throws -> LeaseReply {
        let now = world.now
        return try await world.call(worker) { _, mongo in
            if !mongo.leases.isEverybodys, let held = mongo.leases.lease, held.holder.id != holder.id, now() < mongo.leases.until {
                return .held(by: held.holder.id)
            }
            let isTakeover = mongo.leases.lease.map { $0.holder.id != holder.id } ?? false
            if mongo.leases.lease?.holder.id != holder.id { mongo.leases.takeovers += 1 }
            let lease = Lease(
                partition: partition, holder: holder, epoch: mongo.epoch + 1, crashes: mongo.leases.crashes,
                isAfterDeath: isTakeover && !mongo.leases.isEverybodys)
            mongo.epoch = lease.epoch
            mongo.leases.lease = lease
            mongo.leases.until = now() + duration
            return .acquired(lease)
        }
    }

    func renew(_ lease: Lease, duration: Duration) async throws -> Bool {
        let now = world.now
        return try await world.call(worker) { _, mongo in
            guard mongo.leases.isEverybodys || mongo.leases.lease?.holder.id == lease.holder.id else { return false }
            mongo.leases.renewals += 1
            mongo.leases.until = now() + duration
            return true
        }
    }

    func lift(_ lease: Lease, above fence: Int64) async throws -> Lease? {
        try await world.call(worker) { _, mongo in
            guard mongo.leases.isEverybodys || mongo.leases.lease?.holder.id == lease.holder.id else { return nil }
            var held = lease
            held.epoch = max(mongo.epoch, fence) + 1
            mongo.epoch = held.epoch
            mongo.leases.lease = held
            return held
        }
    }

    func store(_ crashes: CrashHistory, in lease: Lease) async throws -> Bool {
        try await world.call(worker) { _, mongo in
            guard mongo.leases.isEverybodys || mongo.leases.lease?.holder.id == lease.holder.id else { return false }
            mongo.leases.crashes = crashes
            return true
        }
    }

    func endDeadRepairs(of partition: PartitionID) async throws {}

    func release(_ lease: Lease) async throws {
        try await world.call(worker) { _, mongo in
            if mongo.leases.lease?.holder.id == lease.holder.id { mongo.leases.lease = nil }
        }
    }
}
