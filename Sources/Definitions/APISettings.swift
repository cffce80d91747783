/// What `api:` says of the read API.
public struct APISettings: Hashable, Sendable {
    /// nil where nobody has said it, and then at `standard` if that is free.
    public var listen: ListenAddress?
    /// Requests of one model at once; more are refused.
    public var concurrency = 512
    /// Requests a second in all; more are refused. nil for no limit.
    public var rate: Int?
    /// How long a read may take.
    public var deadline = Duration.seconds(2)
    /// Connections of clients at once; more wait to be taken.
    public var connections = 10_000
    /// nil for HTTP without TLS.
    public var tls: TLSFiles?

    /// PEM files, by their paths from where Millrace runs.
    public struct TLSFiles: Hashable, Sendable {
        /// The certificate, and those that lead to one that clients know.
        public var certificate: String
        public var key: String
    }

    /// nil where tokens are made here alone.
    public var issuer: Issuer?

    /// Whoever else gives out tokens.
    public struct Issuer: Hashable, Sendable {
        /// What his tokens say in `iss`.
        public var url: String
        /// What they say in `aud`.
        public var audience: String
        /// Where his keys are: an URL, or the path of a file.
        public var keys: String
    }

    public static let standard = (host: "127.0.0.1", port: 8080)
    public static let concurrencyRange = 1...100_000
    public static let rateRange = 1...10_000_000
    public static let deadlineRange = Duration.milliseconds(100)...Duration.seconds(60)
    public static let connectionsRange = 1...1_000_000

    public init() {}
}
