/// Why an exchange with the server broke off. The connection is of no more use.
enum ConnectionFailure: Error, Equatable {
    case timeout
    /// With the system's reason.
    case closed(String)
    /// The bytes are not Redis's protocol, or do not fit into memory.
    case garbled(String)

    func error(_ operation: String, after timeout: Duration) -> RedisError {
        let code: RedisError.Code =
            switch self {
            case .timeout: .timeout
            case .closed: .closed
            case .garbled: .unexpectedReply
            }
        return RedisError(code, operation: operation, message: reason(after: timeout))
    }

    func reason(after timeout: Duration) -> String {
        switch self {
        case .timeout: "no answer within \(timeout)"
        case .closed(let reason), .garbled(let reason): reason
        }
    }
}
