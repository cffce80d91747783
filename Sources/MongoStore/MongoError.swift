import CMongoShim
import Events
import Projector
import Values

/// An error of MongoDB or of the way there.
public struct MongoError: StoreFailure {
    /// The server's error code, or libmongoc's where `domain` is not `serverDomain`.
    public var code: UInt32
    /// libmongoc's error domain: whether the code is the server's.
    public var domain: UInt32
    /// The server's error labels, such as `TransientTransactionError`.
    public var labels: [String]
    /// What was being done, such as `append to millrace.log`.
    public var operation: String
    public var message: String

    static let serverDomain: UInt32 = 17
    static let authenticationDomain: UInt32 = 1
    static let authenticationCode: UInt32 = 11

    init(_ error: mongo_shim_error, reply: Document = Document(), operation: String) {
        var error = error
        code = error.code
        domain = error.domain
        labels = Self.labels(of: reply)
        self.operation = operation
        message = String(cString: mongo_shim_message(&error))
    }

    init(code: UInt32, labels: [String] = [], operation: String, message: String) {
        self.code = code
        domain = Self.serverDomain
        self.labels = labels
        self.operation = operation
        self.message = message
    }

    static func labels(of reply: Document) -> [String] {
        let concern = reply["writeConcernError"]?.asDocument?["errorLabels"]?.asArray ?? []
        return ((reply["errorLabels"]?.asArray ?? []) + concern).compactMap(\.asString)
    }

    /// The server's code, where it is the server's.
    public var serverCode: Int? { domain == Self.serverDomain ? Int(code) : nil }

    var isAuthentication: Bool {
        [13, 18, 8000].contains(serverCode ?? 0) || (domain == Self.authenticationDomain && code == Self.authenticationCode)
    }

    /// Codes that no waiting cures: a request that the server will never take, or rights that are missing. Everything
    /// else comes from elections, networks and full disks, and passes.
    private static let permanentCodes: Set<Int> = [
        2,  // BadValue
        9,  // FailedToParse
        14,  // TypeMismatch
        20,  // IllegalOperation: a standalone server asked for a transaction
        26,  // NamespaceNotFound
        59,  // CommandNotFound
        67,  // CannotCreateIndex
        72,  // InvalidOptions
        121,  // DocumentValidationFailure
        166,  // CommandNotSupportedOnView
        parallelArrays,
        10334,  // BSONObjectTooLarge
        17280,  // KeyTooLong
        17419,  // the update would grow the document beyond 16 MiB
    ]

    /// A document has arrays at two paths of one index.
    static let parallelArrays = 171

    public var isRetriable: Bool {
        if isAuthentication { return false }
        if labels.contains("TransientTransactionError") { return true }
        return !Self.permanentCodes.contains(serverCode ?? 0)
    }

    public var problem: Problem { serverCode == nil && !isAuthentication ? .serverUnreachable : .serverRefused }

    public var description: String {
        let advice =
            if isAuthentication {
                ": check user, password and roles in the MongoDB URL"
            } else if problem == .serverUnreachable {
                ": is the replica set up, and the MongoDB URL right?"
            } else {
                ""
            }
        return "\(problem): MongoDB, \(operation): \(message) (\(serverCode.map { "code \($0)" } ?? "driver error \(domain).\(code)"))\(advice)"
    }
}
