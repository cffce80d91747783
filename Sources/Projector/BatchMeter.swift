/// Is told of every batch that has taken effect, for whoever watches.
public protocol BatchMeter: Sendable {
    func record(_ batch: AppliedBatch)
}

/// What one batch took.
public struct AppliedBatch: Sendable {
    public var model: String
    public var events: Int
    public var load: Duration
    public var fold: Duration
    public var write: Duration
    /// When the last of them happened, as it says itself: milliseconds since 1970.
    public var lastTime: Int64?

    public init(model: String, events: Int, load: Duration, fold: Duration, write: Duration, lastTime: Int64?) {
        self.model = model
        self.events = events
        self.load = load
        self.fold = fold
        self.write = write
        self.lastTime = lastTime
    }
}
