import Values

/// Where a model's documents are read.
public enum ReadPlace: Hashable, Sendable {
    /// On a secondary that is not further behind than this, or on the primary where there is none.
    case secondary(maxStaleness: Duration)
    case primary
}

/// Chooses servers to read from, as a value.
///
/// It stays with one secondary as long as that is well: of one server, a later majority read is never older than an earlier
/// one, and nobody has to wait for replication to prove it.
public struct ServerChoice: Sendable {
    private var current: String?
    /// Servers that have failed are not asked again before then.
    private var benched: [String: (until: ContinuousClock.Instant, times: Int)] = [:]

    static let firstBench = Duration.milliseconds(500)
    static let longestBench = Duration.seconds(8)

    public init() {}

    /// nil where there is no server.
    public mutating func server(for place: ReadPlace, among servers: [ReadServer], at now: ContinuousClock.Instant) -> ReadServer? {
        let primary = servers.first(where: \.isPrimary)
        guard case .secondary(let maxStaleness) = place else { return primary }
        let newest = servers.map(\.lastWrite).max() ?? 0
        let fresh = servers.filter { !$0.isPrimary && newest - $0.lastWrite <= maxStaleness.milliseconds }
        if let current, let server = fresh.first(where: { $0.name == current }), !isBenched(server, at: now) { return server }
        if let server = fresh.filter({ !isBenched($0, at: now) }).randomElement() {
            current = server.name
            return server
        }
        // Without a secondary that is well the primary does it; a server that failed a moment ago is better than none.
        if let primary, !isBenched(primary, at: now) { return primary }
        return fresh.min { bench(of: $0) < bench(of: $1) } ?? primary ?? servers.max { $0.lastWrite < $1.lastWrite }
    }

    public mutating func failed(_ server: ReadServer, at now: ContinuousClock.Instant) {
        let times = (benched[server.name]?.times ?? 0) + 1
        let pause = min(Self.longestBench, Self.firstBench * (1 << min(times - 1, 6)))
        benched[server.name] = (now + pause, times)
    }

    public mutating func succeeded(_ server: ReadServer) { benched[server.name] = nil }

    private func isBenched(_ server: ReadServer, at now: ContinuousClock.Instant) -> Bool { benched[server.name].map { $0.until > now } ?? false }

    private func bench(of server: ReadServer) -> Int { benched[server.name]?.times ?? 0 }
}
