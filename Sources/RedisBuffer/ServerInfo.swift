/// What `INFO` says about a server: `name:value` lines. Managed servers, which have no `CONFIG`, answer it too.
public struct ServerInfo: Hashable, Sendable {
    private var fields: [String: String] = [:]

    public init(_ text: String) {
        for line in text.split(whereSeparator: \.isNewline) where !line.hasPrefix("#") {
            let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            if parts.count == 2 { fields[String(parts[0])] = String(parts[1]) }
        }
    }

    /// A field by Redis's name for it.
    public subscript(name: String) -> String? { fields[name] }

    public var version: String { fields["redis_version"] ?? "unknown" }
    /// Random for each start of the server.
    public var run: String { fields["run_id"] ?? "" }
    public var isReplica: Bool { fields["role"] == "slave" }
    public var isCluster: Bool { fields["cluster_enabled"] == "1" }
    public var isAppendOnly: Bool { fields["aof_enabled"] == "1" }
    /// Bytes; 0 for no limit, nil where the server does not say.
    public var maxmemory: Int64? { fields["maxmemory"].flatMap { Int64($0) } }
    public var maxmemoryPolicy: String? { fields["maxmemory_policy"] }
}
