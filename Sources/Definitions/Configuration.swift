import Events
import Models

/// Everything that the files of a configuration say, checked and with the defaults filled in.
public struct Configuration: Sendable {
    public var redis: Redis
    public var mongodb: MongoDB
    /// How long a dead worker's partitions wait for another.
    public var lease: Duration
    /// How long receipts are kept.
    public var keepRuns: Duration
    /// Where health and metrics are served; nil where nobody has said it, and then at `defaultHealthListen` if that is free.
    public var healthListen: ListenAddress?
    /// The read API.
    public var api: APISettings
    /// Sorted by name.
    public var streams: [StreamSettings]
    /// Sorted by name.
    public var models: [Model]
    /// Sorted by name.
    public var jobs: [JobDefinition]

    /// Printed without the password.
    public struct Redis: Hashable, Sendable, CustomStringConvertible {
        /// `redis://[user]:password@host:port/database` or `unix://[…@]/path?db=n`.
        public var url = "redis://127.0.0.1:6379"

        public init() {}
        public var description: String { redacted(url: url) }
    }

    /// Printed without the password.
    public struct MongoDB: Hashable, Sendable, CustomStringConvertible {
        /// `mongodb://` or `mongodb+srv://`, without options that would weaken a promise.
        public var url = "mongodb://127.0.0.1:27017/?replicaSet=rs0"
        public var database = "millrace"

        public init() {}
        public var description: String { "\(redacted(url: url)) \(database)" }
    }

    public static let defaultLease = Duration.seconds(10)
    /// Below, one slow answer of MongoDB costs the lease; above, a dead worker is missed for too long.
    public static let leaseRange = Duration.seconds(1)...Duration.seconds(600)

    public static let defaultHealthListen = (host: "127.0.0.1", port: 9090)
    public static let defaultKeepRuns = Duration.seconds(30 * 86_400)
    /// Below, yesterday's runs could not be asked for; above, nobody asks.
    public static let keepRunsRange = Duration.seconds(86_400)...Duration.seconds(3650 * 86_400)

    /// The stream of a name.
    public func stream(_ name: String) -> StreamSettings? { streams.first { $0.name == name } }
    /// The model of a name.
    public func model(_ name: String) -> Model? { models.first { $0.name == name } }
    /// The models that fold a stream's events.
    public func models(of stream: String) -> [Model] { models.filter { $0.stream == stream } }
}
