import Events

/// Who works on a job together, by the store's clock.
public protocol RunnerStore: Sendable {
    /// Says that a runner is there, for a while, and reads who else is and which partitions are held by others.
    func join(_ job: String, runner: String, for duration: Duration, among partitions: [PartitionID]) async throws -> Attendance

    /// Says that it is there no more, so that nobody has to wait for it.
    func leave(_ job: String, runner: String) async throws
}

/// What a runner sees of the others.
public struct Attendance: Hashable, Sendable {
    /// All who are there, the caller among them; who came first comes first.
    public var runners: [String]
    /// Partitions whose leases others hold.
    public var taken: Set<PartitionID>

    public init(runners: [String], taken: Set<PartitionID>) {
        self.runners = runners
        self.taken = taken
    }
}
