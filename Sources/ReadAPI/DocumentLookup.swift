import Events
import HTTPTypes
import NIOCore
import Reads
import Values

/// A document that is asked for as it is now: what is read of it and what it is answered by.
final class DocumentLookup: Sendable {
    private let id: String
    private let model: ReadModel
    private let partition: PartitionID
    private let shown: Shown
    private let ifNoneMatch: [String]
    private let time: ReadTime
    private let setup: ReadSetup

    /// What its query may say.
    static let parameters = ["fields", "at", "stale"]

    init(_ id: String, of model: ReadModel, _ shown: Shown, at time: ReadTime, _ fields: HTTPFields, _ setup: ReadSetup) {
        self.id = id
        self.model = model
        partition = model.partition(of: id)
        self.shown = shown
        ifNoneMatch = fields[values: .ifNoneMatch]
        self.time = time
        self.setup = setup
    }

    /// - Returns: nil where a request asks for something else, or for something to be waited for; or where it has a body, whose end
    ///   may come much later than who asks was let in.
    convenience init?(_ head: HTTPRequest, _ ticket: Arrival.Ticket) throws(HTTPProblem) {
        guard case .document(let name, let id) = ticket.target.route, case .known(let token) = ticket.reader else { return nil }
        guard head.headerFields[.contentLength] ?? "0" == "0", !head.headerFields.contains(.transferEncoding) else { return nil }
        let setup = ticket.setup
        let model = try setup.model(name, for: token)
        let parameters = try NamedParameters(ticket.target.query, Self.parameters)
        let shown = Shown(try parameters.fields, of: model)
        guard try parameters.moment == nil else { return nil }
        let preferences = try ReadPreferences(head.headerFields)
        guard preferences.consistency == .eventual else { return nil }
        // Nothing is waited for, and so nothing is stale; what makes no sense is refused all the same.
        _ = try parameters.isStaleAllowed
        let time = ReadTime(place: model.place, deadline: .now + setup.deadline, applied: preferences.applied)
        self.init(id, of: model, shown, at: time, head.headerFields, setup)
    }

    /// One of the requests that are admitted for the model, until the result is there.
    func start(_ deliver: @escaping Lookups.Delivery) {
        // A stream of HTTP/2 can have an end that does not come with its head.
        guard .now < time.deadline else { return deliver(.failure(.late)) }
        let (load, model) = (setup.load, model)
        guard load.begin(model.name) else { return deliver(.failure(.overloaded)) }
        setup.lookups(at: time.place).find(id, in: model, at: time.place, names: shown.names, after: nil, until: time.deadline) { result in
            load.end(model.name)
            deliver(result)
        }
    }

    /// The same within a request that is admitted already.
    func result() async -> Result<LookupAnswer, ReadFailure> {
        await setup.lookups(at: time.place).result(of: id, in: model, at: time.place, names: shown.names, after: time.after, until: time.deadline)
    }

    func answer(_ result: Result<LookupAnswer, ReadFailure>) throws(HTTPProblem) -> HTTPAnswer {
        let answer = try result.orProblem()
        var time = time
        time.isStale = time.isStale || answer.isStale
        var headers = time.headers(lag: answer.lag, at: setup.position(answer.offset, of: partition))
        guard let found = answer.document else {
            throw HTTPProblem(.noSuchDocument, "\(model.name) has no document \(JSON.write(.string(id)))", headers: headers)
        }
        let tag = shown.tag(of: found, answer)
        headers[.eTag] = tag
        if EntityTag.matches(ifNoneMatch, tag) {
            headers[.cacheControl] = JSONBody.cacheControl
            return HTTPAnswer(status: .notModified, headers: headers)
        }
        var body = JSONBody(capacity: found.raw.size * 3 / 2)
        try body.append(found.raw, shown.mask)
        return body.answer(headers)
    }
}
