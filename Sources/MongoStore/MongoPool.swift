import CMongoShim
import Events
import Logging
import Synchronization
import Values

/// The process's connections to one replica set.
///
/// `@unchecked Sendable`: libmongoc's pool is made to be used by any thread; what is popped from it is not, and stays
/// inside one `MongoConnection`.
public final class MongoPool: @unchecked Sendable {
    let pool: OpaquePointer
    /// How many there can be.
    public let connections: Int
    private let taken = Atomic(0)

    /// How many there are.
    public var used: Int { taken.load(ordering: .relaxed) }

    /// How long one call waits for a server to answer.
    public static let socketTimeout = Duration.seconds(30)
    private static let connectTimeout = Duration.seconds(3)

    private static let initialised: Void = mongo_shim_initialise { level, message in
        // Level 0 is an error, 1 critical, 2 a warning; libmongoc's own retries make most of them, and each failure
        // comes back to its caller besides.
        guard level <= 2, let message else { return }
        Logger(label: "millrace.mongoc").debug("\(String(cString: message))")
    }

    /// Does not connect yet. Throws a `Refusal` for a URL that libmongoc does not take.
    ///
    /// - Parameters:
    ///   - connections: how many `MongoConnection`s there can be at once.
    ///   - selection: how long a call waits for a server that can take it.
    ///   - answer: how long it waits for that server.
    public init(url: String, connections: Int = 8, selection: Duration = .seconds(5), answer: Duration = socketTimeout) throws(Refusal) {
        _ = Self.initialised
        var error = mongo_shim_error()
        let settings = mongo_shim_settings(
            connect_timeout: Int32(min(Self.connectTimeout, answer).milliseconds), socket_timeout: Int32(answer.milliseconds),
            selection_timeout: Int32(selection.milliseconds), connections: Int32(clamping: connections)
        )
        guard let pool = mongo_shim_pool_new(url, "millrace", settings, &error) else {
            // The message may quote the URL, with its password.
            throw Refusal(.badConfiguration, "the MongoDB URL is not valid: check its scheme, hosts and options")
        }
        self.pool = pool
        self.connections = connections
    }

    func took() { taken.add(1, ordering: .relaxed) }
    func gotBack() { taken.subtract(1, ordering: .relaxed) }

    deinit { mongo_shim_pool_free(pool) }
}
