import Events
import HTTPTypes
import Reads

extension HTTPProblem {
    struct Kind {
        var problem: Problem
        var status: HTTPResponse.Status
        var meaning: String
    }

    /// Every problem that an answer can name, with its status and what it means.
    static let kinds = [
        Kind(problem: .badRequest, status: .badRequest, meaning: "the detail says what cannot be understood, the hint what can"),
        Kind(problem: .noIndex, status: .badRequest, meaning: "no index answers the question"),
        Kind(problem: .unauthorized, status: .unauthorized, meaning: "there is no valid token"),
        Kind(problem: .forbidden, status: .forbidden, meaning: "the token is not for this"),
        Kind(problem: .noSuchPath, status: .notFound, meaning: "there is nothing at the path"),
        Kind(problem: .noSuchModel, status: .notFound, meaning: "there is no such model, or the token is not for it"),
        Kind(problem: .noSuchDocument, status: .notFound, meaning: "the model has no such document"),
        Kind(problem: .badMethod, status: .methodNotAllowed, meaning: "Allow says which methods are for the path"),
        Kind(problem: .logPruned, status: .gone, meaning: "the log does not go back so far any more"),
        Kind(problem: .requestTooLarge, status: .contentTooLarge, meaning: "the body is too large; 414 where it is the URL"),
        Kind(problem: .answerTooLarge, status: .contentTooLarge, meaning: "the answer would be: ask for less"),
        Kind(problem: .rateLimited, status: .tooManyRequests, meaning: "RateLimit and Retry-After say when there is more"),
        Kind(problem: .bug, status: .internalServerError, meaning: "something that nobody has thought of"),
        Kind(problem: .overloaded, status: .serviceUnavailable, meaning: "too much is asked for at once"),
        Kind(problem: .notCaughtUp, status: .serviceUnavailable, meaning: "what was pushed is not applied yet: the reason says why"),
        Kind(problem: .timedOut, status: .serviceUnavailable, meaning: "MongoDB gave no answer in time"),
        Kind(problem: .serverUnreachable, status: .serviceUnavailable, meaning: "MongoDB is not well, and is not asked for a moment"),
        Kind(problem: .serverRefused, status: .serviceUnavailable, meaning: "MongoDB refused: a person must look"),
        Kind(problem: .unknownName, status: .serviceUnavailable, meaning: "the model has no build yet"),
        Kind(problem: .logDamaged, status: .serviceUnavailable, meaning: "the log is damaged where it would be read: a person must look"),
    ]
    private static let statuses = Dictionary(uniqueKeysWithValues: kinds.map { ($0.problem, $0.status) })

    /// What MongoDB or the log may say besides is for a person to look at.
    static func status(of problem: Problem) -> HTTPResponse.Status { statuses[problem] ?? .serviceUnavailable }

    /// Why something was not read, as it is told.
    convenience init(_ failure: ReadFailure) {
        switch failure {
        case .overloaded:
            self.init(.overloaded, "too many reads are under way", hint: "ask again in a moment, and more slowly", retryAfter: 1)
        case .resting(let pause):
            self.init(
                .serverUnreachable, "MongoDB was not well a moment ago, and is not asked before it had a rest", hint: "ask again in a moment",
                retryAfter: max(1, Int((pause / .seconds(1)).rounded(.up))))
        case .late: self.init(.timedOut, "MongoDB gave no answer in time", hint: "ask again in a moment", retryAfter: 1)
        case .unavailable(let why): self.init(.serverUnreachable, why, hint: "ask again in a moment", retryAfter: 1)
        case .refused(let refusal) where refusal.problem == .badInput: self.init(.badRequest, refusal.message)
        case .refused(let refusal):
            self.init(refusal.problem, refusal.message, retryAfter: Self.status(of: refusal.problem) == .serviceUnavailable ? 1 : nil)
        }
    }
}

extension Result where Failure == ReadFailure {
    func orProblem() throws(HTTPProblem) -> Success {
        do throws(ReadFailure) { return try get() } catch { throw HTTPProblem(error) }
    }
}
