import Events
import Projector
import Schedules

/// What the runs of jobs need: their states, leases and receipts, and under which name.
public struct JobOffice: Sendable {
    public let store: any JobStore
    public let leases: any LeaseStore
    public let runs: any RunStore
    public let owner: String
    public let lease: Duration

    public init(store: any JobStore, leases: any LeaseStore, runs: any RunStore, owner: String, lease: Duration) {
        self.store = store
        self.leases = leases
        self.runs = runs
        self.owner = owner
        self.lease = lease
    }

    /// Does something with the job's lease, which one runner has at a time.
    func alone<Result: Sendable>(at job: String, _ work: @Sendable @escaping () async throws -> Result) async throws -> Result {
        let holder = LeaseHolder(id: owner, sessions: [])
        return try await SoleWork(.work("job", on: job), what: "the job \(job)", leases: leases, holder: holder, duration: lease).run { _ in try await work() }
    }

    /// Repeats what a fault of a server leaves undone, for three leases: the receipt of a run of an hour is worth that.
    func patiently<Answer>(_ body: () async throws -> Answer) async throws -> Answer {
        let deadline = ContinuousClock.now + lease * 3
        var pause = Backoff(first: .milliseconds(100), most: .seconds(1))
        while true {
            do {
                return try await body()
            } catch let failure as any StoreFailure where failure.isRetriable && ContinuousClock.now < deadline {
                try await Task.sleep(for: pause.next())
            }
        }
    }
}
