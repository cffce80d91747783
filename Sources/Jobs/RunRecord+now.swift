import Events
import Projector
import Values

extension RunRecord {
    /// Of a new run, which ends now.
    public init(_ job: String, _ kind: RunKind, owner: String, started: ContinuousClock.Instant, _ outcome: RunOutcome) {
        self.init(id: RandomUUID.text(), job: job, kind: kind, owner: owner, lasted: .now - started, outcome: outcome)
    }

    /// Of a drain that ends now.
    init(drain job: String, owner: String, started: ContinuousClock.Instant, _ receipt: Receipt, _ readings: [PartitionID: PartitionReading]) {
        self.init(job, .drain, owner: owner, started: started, RunOutcome(receipt))
        self.readings = readings
    }
}
