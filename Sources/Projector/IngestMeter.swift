/// Is told how long the steps of ingest took, for whoever watches.
public protocol IngestMeter: Sendable {
    func record(_ stage: IngestStage, of stream: String, _ time: Duration)
}

/// A step of ingest: one call of Redis or MongoDB.
public enum IngestStage: String, CaseIterable, Sendable {
    /// One that found something: those that found nothing are none's delay.
    case cut
    case read
    case append
    case release
}
