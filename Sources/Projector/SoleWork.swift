import Events

/// Work that only one does at a time, such as a reconcile of a model: whoever comes second is refused, with the name of
/// who is at it.
public struct SoleWork: Sendable {
    private let name: PartitionID
    private let what: String
    private let leases: any LeaseStore
    private let holder: LeaseHolder
    private let duration: Duration

    /// - Parameters:
    ///   - name: of the lease. A colon keeps it apart from every stream's.
    ///   - what: for who is refused: "a reconcile of product".
    ///   - leases: through another session than the work's, so that it can be renewed meanwhile.
    ///   - holder: names host and process.
    public init(_ name: String, what: String, leases: any LeaseStore, holder: String, duration: Duration) {
        self.name = PartitionID(stream: name, number: 0)
        self.what = what
        self.leases = leases
        self.holder = LeaseHolder(id: holder, sessions: [])
        self.duration = duration
    }

    /// Does the work with the lease held and renewed. Throws a `Refusal` where somebody else has it, or takes it over
    /// meanwhile.
    public func run<Result: Sendable>(_ work: @Sendable @escaping () async throws -> Result) async throws -> Result {
        let lease: Lease
        switch try await leases.acquire(name, holder: holder, duration: duration) {
        case .acquired(let acquired): lease = acquired
        case .held(let other): throw Refusal(.leaseHeld, "\(other) is at \(what): try again when that is done")
        }
        let held = HeldLease(lease, leases: leases, duration: duration, clock: ContinuousClock())
        do {
            let result = try await withThrowingTaskGroup(of: Result?.self) { group in
                group.addTask { try await work() }
                group.addTask {
                    try await held.keep()
                    return nil
                }
                defer { group.cancelAll() }
                while let result = try await group.next() {
                    if let result { return result }
                }
                throw CancellationError()
            }
            try? await held.release()
            return result
        } catch is LeaseLost {
            throw Refusal(.leaseHeld, "somebody else has taken \(what) over, since this process stood still for longer than its lease")
        } catch {
            try? await held.release()
            throw error
        }
    }
}
