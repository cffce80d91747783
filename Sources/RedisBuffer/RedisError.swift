import Events
import Projector

/// What went wrong with a Redis server: which operation, why, and what to do. Never a payload, never a password.
public struct RedisError: StoreFailure, Hashable {
    /// Redis's own code, such as `OOM`, or one of this client's.
    public struct Code: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
        public var rawValue: String

        public init(rawValue: String) { self.rawValue = rawValue }

        public var description: String { rawValue }
    }

    public var code: Code
    /// What was being done, and to which list.
    public var operation: String
    public var message: String
    /// True for faults of servers and networks, which pass; false where a person must act.
    public var isRetriable: Bool
    public var problem: Problem

    public init(_ code: Code, operation: String, message: String) {
        let meaning = code.meaning
        self.code = code
        self.operation = operation
        self.message = meaning.advice.isEmpty ? message : "\(message); \(meaning.advice)"
        isRetriable = meaning.isRetriable
        problem = meaning.problem
    }

    /// From an error reply: its code is the first word.
    init(reply: String, operation: String) {
        let (code, message) = Self.parts(of: reply)
        self.init(code, operation: operation, message: message)
    }

    /// While a connection is made, a refusal without a code of its own (of the password, of the database) passes only
    /// when somebody changes a setting.
    init(setUpReply reply: String, operation: String) {
        self.init(reply: reply, operation: operation)
        if code == .other, !message.hasPrefix("max number of clients") {
            isRetriable = false
            problem = .badConfiguration
        }
    }

    func noting(_ note: String) -> RedisError {
        var copy = self
        copy.message += " (\(note))"
        return copy
    }

    public var description: String { "\(problem): redis \(operation): \(message) (\(code))" }

    private static func parts(of reply: String) -> (Code, String) {
        let words = reply.split(separator: " ", maxSplits: 1)
        guard let first = words.first, first.allSatisfy({ $0.isUppercase || $0.isNumber || $0 == "_" }) else {
            return (.other, readable(reply))
        }
        return (Code(rawValue: String(first)), readable(words.count > 1 ? String(words[1]) : ""))
    }

    /// The server repeats the arguments of a command it does not know, and those can be payloads.
    private static func readable(_ text: String) -> String {
        var end = text.endIndex
        if let arguments = text.firstRange(of: ", with args beginning with") { end = arguments.lowerBound }
        let clean = text[..<end].unicodeScalars.map { $0.value < 32 || $0.value == 127 ? " " : Character($0) }
        return String(clean.prefix(200))
    }
}
