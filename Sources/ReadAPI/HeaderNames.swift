import HTTPTypes

extension HTTPField.Name {
    /// Those besides the first.
    static let hosts = named("Host")
    static let prefer = named("Prefer")
    static let preferenceApplied = named("Preference-Applied")
    static let requestID = named("X-Request-Id")
    static let contentTypeOptions = named("X-Content-Type-Options")
    static let forwarded = named("Forwarded")
    static let realIP = named("X-Real-IP")
    static let forwardedFor = named("X-Forwarded-For")
    /// As draft-ietf-httpapi-ratelimit-headers has them, from its eighth version on.
    static let rateLimit = named("RateLimit")
    static let rateLimitPolicy = named("RateLimit-Policy")
    /// Everything before this place of the log has taken effect in the answer.
    static let position = named("Millrace-Position")
    /// Seconds that the model is behind the log, as far as the server that was read from knows.
    static let lag = named("Millrace-Lag")
    /// `true` where the answer may be older than was asked for.
    static let stale = named("Millrace-Stale")

    private static func named(_ text: String) -> HTTPField.Name {
        guard let name = HTTPField.Name(text) else { preconditionFailure("\(text) cannot be the name of a header") }
        return name
    }
}
