/// Somebody else holds the lease.
struct LeaseLost: Error {}

/// A lease that is renewed while its work runs.
actor HeldLease {
    private var lease: Lease
    private let leases: any LeaseStore
    private let duration: Duration
    private let clock: any Clock<Duration>

    init(_ lease: Lease, leases: any LeaseStore, duration: Duration, clock: any Clock<Duration>) {
        self.lease = lease
        self.leases = leases
        self.duration = duration
        self.clock = clock
    }

    var epoch: Int64 { lease.epoch }

    /// Renews at a third of the duration. Throws when the lease is somebody else's; a failure to ask is left to the
    /// next try, since nothing rests on the lease but saved work.
    func keep() async throws {
        while true {
            try await clock.sleep(for: duration / 3)
            do {
                guard try await leases.renew(lease, duration: duration) else { throw LeaseLost() }
            } catch let failure as any StoreFailure where failure.isRetriable {
                continue
            }
            CrashPoint.leaseRenewed.reached()
        }
    }

    func lift(above fence: Int64) async throws {
        guard let lifted = try await leases.lift(lease, above: fence) else { throw LeaseLost() }
        lease = lifted
    }

    func store(_ crashes: CrashHistory) async throws {
        guard try await leases.store(crashes, in: lease) else { throw LeaseLost() }
    }

    func release() async throws { try await leases.release(lease) }
}
