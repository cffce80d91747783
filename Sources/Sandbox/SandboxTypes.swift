extension Sandbox {
    /// The servers of a sandbox.
    public enum Server: String, Codable, CaseIterable, Sendable {
        case redis
        case member1 = "member-1"
        case member2 = "member-2"
        case member3 = "member-3"

        /// Of the replica set.
        public static let members: [Server] = [.member1, .member2, .member3]
    }

    /// How a new sandbox is set up. One that exists keeps its own.
    public struct Options: Codable, Hashable, Sendable {
        /// When Redis forces its log of writes to disk.
        public enum Appendfsync: String, Codable, CaseIterable, Sendable {
            case everysec
            case always
        }

        public var appendfsync: Appendfsync
        /// How long the members do without a primary before they elect another.
        public var electionTimeoutMilliseconds: Int
        /// The ports under which the members reach each other and clients reach them, one for each: those of whatever
        /// stands in front of them. nil for the members' own.
        public var announcedPorts: [Int]?

        public init(appendfsync: Appendfsync = .everysec, electionTimeoutMilliseconds: Int = 10_000, announcedPorts: [Int]? = nil) {
            self.appendfsync = appendfsync
            self.electionTimeoutMilliseconds = electionTimeoutMilliseconds
            self.announcedPorts = announcedPorts
        }
    }

    /// The URLs of a sandbox.
    public struct Endpoints: Codable, Hashable, Sendable {
        public var redis: String
        public var mongodb: String
    }

    /// One server as `status` finds it.
    public struct ServerStatus: Codable, Hashable, Sendable {
        public var server: Server
        public var port: Int
        /// nil for one that is not running.
        public var pid: Int32?
    }
}
