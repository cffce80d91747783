import Events

extension RedisError.Code {
    // This client's own.

    /// No connection: nothing was sent.
    public static let unreachable = Self(rawValue: "unreachable")
    /// No answer in time: whether the command was carried out is unknown.
    public static let timeout = Self(rawValue: "timeout")
    /// The connection ended before the answer: the outcome is unknown.
    public static let closed = Self(rawValue: "closed")
    /// The answer is not what Redis says to such a command.
    public static let unexpectedReply = Self(rawValue: "unexpected-reply")

    // Redis's.

    /// An error without a code of its own.
    public static let other = Self(rawValue: "ERR")
    public static let outOfMemory = Self(rawValue: "OOM")
    public static let misconfigured = Self(rawValue: "MISCONF")
    public static let loading = Self(rawValue: "LOADING")
    public static let busy = Self(rawValue: "BUSY")
    public static let readOnly = Self(rawValue: "READONLY")
    public static let primaryDown = Self(rawValue: "MASTERDOWN")
    public static let tooFewReplicas = Self(rawValue: "NOREPLICAS")
    public static let unknownScript = Self(rawValue: "NOSCRIPT")
    public static let wrongType = Self(rawValue: "WRONGTYPE")
    public static let noPassword = Self(rawValue: "NOAUTH")
    public static let wrongPassword = Self(rawValue: "WRONGPASS")
    public static let noPermission = Self(rawValue: "NOPERM")
    public static let protectedMode = Self(rawValue: "DENIED")
    public static let moved = Self(rawValue: "MOVED")
    public static let ask = Self(rawValue: "ASK")
    public static let crossSlot = Self(rawValue: "CROSSSLOT")
    public static let groupExists = Self(rawValue: "BUSYGROUP")
    public static let noGroup = Self(rawValue: "NOGROUP")

    struct Meaning {
        var isRetriable: Bool
        var problem: Problem
        var advice: String
    }

    /// One table for every code. One that is not in it is retried: only what is known to need a person stops.
    var meaning: Meaning {
        Self.meanings[self] ?? Meaning(isRetriable: true, problem: .serverRefused, advice: "")
    }

    private static let meanings: [Self: Meaning] = [
        .unreachable: passing(.serverUnreachable, "see that redis-server runs there"),
        .timeout: passing(.outcomeUnknown, "tried again on a new connection"),
        .closed: passing(.outcomeUnknown, "tried again on a new connection"),
        .unexpectedReply: passing(.outcomeUnknown, "see that the URL names a Redis server"),
        .outOfMemory: passing(.serverRefused, "Redis is at maxmemory: raise it, or let the drain catch up"),
        .misconfigured: passing(.serverRefused, "Redis cannot save to its disk: see its log"),
        .loading: passing(.serverRefused, "Redis is starting"),
        .busy: passing(.serverRefused, "somebody's script keeps Redis busy"),
        .readOnly: passing(.serverRefused, "this Redis is a replica: connect to its primary"),
        .primaryDown: passing(.serverRefused, "this Redis is a replica without its primary"),
        .noGroup: passing(.serverRefused, "somebody has removed the stream or its group: it is made again"),
        .tooFewReplicas: passing(.serverRefused, "Redis waits for its replicas (min-replicas-to-write)"),
        .wrongType: lasting(.wrongType, "move or delete the key"),
        .noPassword: lasting(.serverRefused, "put the password into the URL: redis://:password@host"),
        .wrongPassword: lasting(.serverRefused, "correct user and password in the URL"),
        .noPermission: lasting(.serverRefused, "give the user this command and the list's keys (ACL SETUSER)"),
        .protectedMode: lasting(.serverRefused, "give Redis a password, or connect from its own machine"),
        .moved: lasting(.unsafeServer, "Redis Cluster is not supported: use a server outside a cluster"),
        .ask: lasting(.unsafeServer, "Redis Cluster is not supported: use a server outside a cluster"),
        .crossSlot: lasting(.unsafeServer, "Redis Cluster is not supported: use a server outside a cluster"),
    ]

    private static func passing(_ problem: Problem, _ advice: String) -> Meaning {
        Meaning(isRetriable: true, problem: problem, advice: advice)
    }

    private static func lasting(_ problem: Problem, _ advice: String) -> Meaning {
        Meaning(isRetriable: false, problem: problem, advice: advice)
    }
}
