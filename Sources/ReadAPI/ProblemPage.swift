import Events

/// Every problem that an answer can name, with its status and what it means.
enum ProblemPage {
    struct Entry {
        var problem: Problem
        var status: Int
        var meaning: String
    }

    static let all = [
        Entry(problem: .badRequest, status: 400, meaning: "the detail says what cannot be understood, the hint what can"),
        Entry(problem: .noIndex, status: 400, meaning: "no index answers the question"),
        Entry(problem: .unauthorized, status: 401, meaning: "there is no valid token"),
        Entry(problem: .forbidden, status: 403, meaning: "the token is not for this"),
        Entry(problem: .noSuchPath, status: 404, meaning: "there is nothing at the path"),
        Entry(problem: .noSuchModel, status: 404, meaning: "there is no such model, or the token is not for it"),
        Entry(problem: .noSuchDocument, status: 404, meaning: "the model has no such document"),
        Entry(problem: .badMethod, status: 405, meaning: "Allow says which methods are for the path"),
        Entry(problem: .logPruned, status: 410, meaning: "the log does not go back so far any more"),
        Entry(problem: .requestTooLarge, status: 413, meaning: "the body is too large; 414 where it is the URL"),
        Entry(problem: .answerTooLarge, status: 413, meaning: "the answer would be: ask for less"),
        Entry(problem: .rateLimited, status: 429, meaning: "RateLimit and Retry-After say when there is more"),
        Entry(problem: .bug, status: 500, meaning: "something that nobody has thought of"),
        Entry(problem: .overloaded, status: 503, meaning: "too much is asked for at once"),
        Entry(problem: .notCaughtUp, status: 503, meaning: "what was pushed is not applied yet: the reason says why"),
        Entry(problem: .timedOut, status: 503, meaning: "MongoDB gave no answer in time"),
        Entry(problem: .serverUnreachable, status: 503, meaning: "MongoDB is not well, and is not asked for a moment"),
        Entry(problem: .serverRefused, status: 503, meaning: "MongoDB refused: a person must look"),
        Entry(problem: .unknownName, status: 503, meaning: "the model has no build yet"),
        Entry(problem: .logDamaged, status: 503, meaning: "the log is damaged where it would be read: a person must look"),
    ]
}
