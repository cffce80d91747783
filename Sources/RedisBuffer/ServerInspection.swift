import Events

/// Whether a server is safe to keep events in: a pure function of what it says about itself.
public struct ServerInspection: Hashable, Sendable {
    /// The first with `UNLINK`, `INFO` and writes in one script.
    public static let oldestVersion = 5
    /// The first whose `XAUTOCLAIM` tells of entries that somebody has removed.
    public static let oldestForBridge = 7

    public let info: ServerInfo

    public init(_ info: ServerInfo) { self.info = info }

    /// Why Millrace does not work with this server, one line each.
    public var refusals: [Refusal] {
        var found: [String] = []
        if let major, major < Self.oldestVersion {
            found.append("Redis \(info.version) is too old: \(Self.oldestVersion).0 or newer is needed")
        }
        if info.isReplica {
            let primary = [info["master_host"], info["master_port"]].compactMap(\.self).joined(separator: ":")
            found.append("this Redis is a replica, which takes no writes: connect to its primary, \(primary)")
        }
        if info.isCluster {
            found.append("this Redis is a cluster node (cluster_enabled:1), which is not supported: use one outside a cluster")
        }
        if let policy = info.maxmemoryPolicy, policy.hasPrefix("allkeys-") {
            found.append("maxmemory-policy \(policy) evicts events that nobody has read: set it to noeviction")
        }
        return found.map { Refusal(.unsafeServer, $0) }
    }

    /// Why it cannot be bridged from.
    public var bridgeRefusal: Refusal? {
        guard let major, major < Self.oldestForBridge else { return nil }
        return Refusal(.unsafeServer, "Redis \(info.version) is too old for a bridge: \(Self.oldestForBridge).0 or newer is needed")
    }

    private var major: Int? { info.version.split(separator: ".").first.flatMap { Int($0) } }

    /// What works, but loses events when something else goes wrong.
    public var warnings: [String] {
        var found: [String] = []
        if let policy = info.maxmemoryPolicy, policy.hasPrefix("volatile-") {
            found.append("maxmemory-policy \(policy) evicts lists on which somebody has set an expiry: set it to noeviction")
        }
        if !info.isAppendOnly {
            found.append("appendonly is off: a restart of Redis loses the events that were waiting; set it to yes")
        }
        if info.maxmemory == 0 {
            found.append("maxmemory is 0: a backlog can use up the machine's memory and end Redis; set a limit")
        }
        return found
    }
}
