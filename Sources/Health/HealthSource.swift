/// What the health service asks.
public protocol HealthSource: Sendable {
    /// Whether everything is there that work needs, one by one.
    func checks() async -> [HealthCheck]

    /// What is known of streams, models and jobs.
    func exposition() async throws -> Exposition
}

public struct HealthCheck: Equatable, Sendable {
    public var name: String
    /// nil where it is well.
    public var fault: String?

    public init(_ name: String, fault: String? = nil) {
        self.name = name
        self.fault = fault
    }
}
