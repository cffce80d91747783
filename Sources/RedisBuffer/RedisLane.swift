import RedisAddress

/// The connection of one actor: made when it is needed, kept while nothing goes wrong, thrown away after any error.
struct RedisLane {
    let url: RedisURL
    let timeout: Duration
    private var connection: RedisConnection?

    init(url: RedisURL, timeout: Duration) {
        self.url = url
        self.timeout = timeout
    }

    /// Runs `body` on the connection.
    /// - Parameter operation: what is being done, and to which list, for messages.
    mutating func run<Result>(
        _ operation: String, _ body: (RedisConnection) throws(RedisError) -> Result
    ) throws(RedisError) -> Result {
        let connection = if let connection { connection } else { try RedisConnection(to: url, timeout: timeout) }
        // Put back only at the end: whatever is thrown on the way, also by `body`, takes the connection with it.
        self.connection = nil
        connection.operation = operation
        let result = try body(connection)
        self.connection = connection
        return result
    }
}
