/// Where the read API reads a model's documents.
public struct ReadSettings: Hashable, Sendable {
    /// On the primary, and not on secondaries.
    public var isFromPrimary: Bool
    /// How far behind the newest server of the replica set a secondary may be.
    public var maxStaleness: Duration

    /// Below, secondaries would be left for what passes in a moment: servers tell of their last write every few seconds.
    public static let stalenessRange = Duration.seconds(10)...Duration.seconds(86_400)

    public init(isFromPrimary: Bool = false, maxStaleness: Duration = .seconds(90)) {
        self.isFromPrimary = isFromPrimary
        self.maxStaleness = maxStaleness
    }
}
