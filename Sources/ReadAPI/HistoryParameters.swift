import Events
import Reads
import Values

/// The query of a history: `?limit=50&after=…&fields=a,b.c`.
struct HistoryParameters {
    var fields: [[String]]?
    var limit = Self.standardLimit
    var after: Position?

    static let limits = 1...1000
    static let standardLimit = 50

    init(_ parameters: [RequestTarget.Parameter]) throws(HTTPProblem) {
        var seen: Set<String> = []
        for parameter in parameters {
            guard seen.insert(parameter.name).inserted else { throw .badRequest("\(parameter.name) stands twice in the query") }
            switch parameter.name {
            case "fields": fields = try FieldList.read(parameter.value)
            case "limit": limit = try FieldList.limit(parameter.value, in: Self.limits)
            case "after":
                guard let position = Position(parameter.value) else { throw .badRequest("after is not what an earlier answer gave as next") }
                after = position
            default: throw ReadResponder.unknown(parameter, known: ["fields", "limit", "after"])
            }
        }
    }

    /// `?at=` of a document: a time or a position.
    static func moment(_ text: String) throws(HTTPProblem) -> PastMoment {
        if let position = Position(text) { return .position(position) }
        guard let time = DateTime.parse(text) else {
            throw .badRequest(
                "at is \(JSON.write(.string(String(text.prefix(80))))), neither a time nor a position",
                hint: "write at=2026-11-20T10:00:00Z, or a position of the log")
        }
        return .time(time)
    }
}

extension PastStep {
    /// All but the document, named as `millrace events --json` names it.
    var head: Document {
        var head: Document = ["position": .string(position.description), "loggedAt": .date(logged), "outcome": .string(outcome)]
        if let problem { head.append("problem", .string(problem.rawValue)) }
        if let type { head.append("eventType", .string(type)) }
        if let eventID { head.append("eventId", .string(eventID)) }
        if let time { head.append("occurredAt", .date(time)) }
        return head
    }
}
