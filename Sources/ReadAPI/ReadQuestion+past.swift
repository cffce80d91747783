import Events
import HTTPTypes
import Reads
import Values

// Documents as they were.
extension ReadQuestion {
    func document(_ id: String, of model: ReadModel, at moment: PastMoment, _ shown: Shown) async throws(HTTPProblem) -> HTTPAnswer {
        let found: RawDocument?
        do throws(ReadFailure) {
            found = try await setup.past.document(of: id, in: model, at: moment, until: .now + setup.deadline)
        } catch {
            throw HTTPProblem(error)
        }
        guard let found else { throw HTTPProblem(.noSuchDocument, "\(model.name) had no document \(JSON.write(.string(id))) then") }
        var body = JSONBody(capacity: found.size * 3 / 2)
        try body.append(found, shown.mask)
        return body.answer()
    }

    func history(of id: String, in model: ReadModel) async throws(HTTPProblem) -> HTTPAnswer {
        let parameters = try parameters(["fields", "limit", "after"])
        let shown = Shown(try parameters.fields, of: model)
        let (limit, after) = (try parameters.limit, try parameters.position)
        let (steps, next): ([PastStep], Position?)
        do throws(ReadFailure) {
            (steps, next) = try await setup.past.steps(of: id, in: model, after: after, limit: limit, until: .now + setup.deadline)
        } catch {
            throw HTTPProblem(error)
        }
        if steps.isEmpty, after == nil {
            throw HTTPProblem(.noSuchDocument, "no event of \(JSON.write(.string(id))) has taken effect in \(model.name)")
        }
        var body = JSONBody(list: "events")
        for step in steps { try body.append(step.head, "document", step.document, shown.mask) }
        body.endList("next", next.map { .string($0.description) } ?? .null)
        return body.answer()
    }
}

extension PastStep {
    /// All but the document, named as `millrace events --json` names it.
    fileprivate var head: Document {
        var head: Document = ["position": .string(position.description), "loggedAt": .date(logged), "outcome": .string(outcome)]
        if let problem { head.append("problem", .string(problem.rawValue)) }
        if let type { head.append("eventType", .string(type)) }
        if let eventID { head.append("eventId", .string(eventID)) }
        if let time { head.append("occurredAt", .date(time)) }
        return head
    }
}
