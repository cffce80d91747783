import Events
import HTTPTypes
import Hummingbird
import Models
import NIOCore
import Projector
import Reads
import Synchronization
import Values

/// What a request comes with.
struct ReadContext: InitializableFromSource {
    let channel: any Channel

    init(source: ApplicationRequestContextSource) { channel = source.channel }
}

/// Answers requests: takes them apart, lets them in, reads, and says what came of it.
struct ReadResponder: HTTPResponder {
    /// nil before anything can be read.
    let setup: @Sendable () -> ReadSetup?
    let metrics: ReadMetrics

    func respond(to request: Request, context: ReadContext) async -> Response {
        let began = ContinuousClock.now
        metrics.began()
        let given = Self.requestID(request.headers[.requestID])
        var response: Response
        var route: Route?
        do throws(HTTPProblem) {
            let target = try RequestTarget(request.head.path ?? "/")
            route = target.route
            response = try await answer(to: request, target, context)
            // What went well has one only where the caller has one to tell it by.
            if let given { response.headers[.requestID] = given }
        } catch {
            let requestID = given ?? String(UInt64.random(in: .min ... .max), radix: 36)
            response = error.response(requestID: requestID)
            response.headers[.requestID] = requestID
        }
        response.headers[.contentTypeOptions] = "nosniff"
        metrics.ended(route, request.method, response.status, after: .now - began)
        return request.method == .head ? response.createHeadResponse() : response
    }

    /// A caller's own is kept where it is harmless.
    private static func requestID(_ given: String?) -> String? {
        func isPlain(_ byte: UInt8) -> Bool { (0x21...0x7E).contains(byte) && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\") }
        if let given, 1...128 ~= given.utf8.count, given.utf8.allSatisfy(isPlain) { return given }
        return nil
    }

    private func answer(to request: Request, _ target: RequestTarget, _ context: ReadContext) async throws(HTTPProblem) -> Response {
        // RFC 9112, 3.2: whoever stands between may have taken another for it.
        guard let host = request.head.authority, request.headers[values: .hosts].allSatisfy({ $0 == host }) else {
            throw .badRequest("the request does not say one host", hint: "send one Host")
        }
        guard target.route.methods.contains(request.method) else {
            let allowed = target.route.methods.map(\.rawValue).joined(separator: ", ")
            throw HTTPProblem(.methodNotAllowed, .badMethod, "\(request.method) is not for this path", hint: "use \(allowed)", headers: [.allow: allowed])
        }
        guard let setup = setup() else {
            throw HTTPProblem(.serviceUnavailable, .serverUnreachable, "the service is starting", hint: "ask again in a moment", retryAfter: 1)
        }
        let token = try await setup.admission.reader(request.headers, request.head.authority, from: context.channel.remoteAddress)
        // Each id of a batch is a read, and how many there are stands in its body.
        if case .batch = target.route {} else { try setup.admission.take(1, of: token) }
        switch target.route {
        case .models: return try models(target, setup, token)
        case .document(let name, let id):
            let model = try setup.model(name, for: token)
            return try await setup.load.admitted(model.name) { () throws(HTTPProblem) in try await document(id, of: model, target, request, setup, token) }
        case .batch(let name):
            let model = try setup.model(name, for: token)
            return try await setup.load.admitted(model.name) { () throws(HTTPProblem) in
                let asked = try BatchBody(try await Self.body(of: request, context.channel))
                try setup.admission.take(asked.ids.count, of: token)
                return try await batch(asked, of: model, target, request, setup, token)
            }
        case .page(let name):
            let model = try setup.model(name, for: token)
            return try await setup.load.admitted(model.name) { () throws(HTTPProblem) in try await page(of: model, target, request, setup, token) }
        case .history(let name, let id):
            let model = try setup.model(name, for: token)
            return try await setup.load.admitted(model.name) { () throws(HTTPProblem) in try await history(of: id, in: model, target, setup) }
        case .schema(let name):
            let model = try setup.model(name, for: token)
            if let first = target.query.first { throw Self.unknown(first, known: []) }
            return Self.json(Array(JSON.write(.document(model.schema(id: "/v1/\(name)/schema"))).utf8), [.cacheControl: "no-cache"])
        case .openAPI:
            if let first = target.query.first { throw Self.unknown(first, known: []) }
            return Self.json(Array(JSON.write(.document(try openAPI(setup, token).document)).utf8), [.cacheControl: "no-cache"])
        case .docs:
            if let first = target.query.first { throw Self.unknown(first, known: []) }
            let page = DocsPage(document: try openAPI(setup, token).document).html
            let headers: HTTPFields = [.contentType: "text/html; charset=utf-8", .contentSecurityPolicy: "default-src 'none'; style-src 'unsafe-inline'"]
            return Response(status: .ok, headers: headers, body: .init(byteBuffer: ByteBuffer(string: page)))
        }
    }

    // MARK: Answers

    private func models(_ target: RequestTarget, _ setup: ReadSetup, _ token: AccessToken?) throws(HTTPProblem) -> Response {
        if let first = target.query.first { throw Self.unknown(first, known: []) }
        let models = try seen(setup, token).map { model -> Value in
            ["name": .string(model.name), "path": .string("/v1/\(model.name)"), "filters": .array(PageParameters.paths(of: model).map(Value.string))]
        }
        return Self.json(Array(JSON.write(["models": .array(models)]).utf8), [.cacheControl: "no-cache"])
    }

    /// The models as somebody sees them.
    private func seen(_ setup: ReadSetup, _ token: AccessToken?) throws(HTTPProblem) -> [ReadModel] {
        var models: [ReadModel] = []
        for name in setup.models.keys.sorted() where token?.models?.contains(name) ?? true { models.append(try setup.model(name, for: token)) }
        return models
    }

    private func openAPI(_ setup: ReadSetup, _ token: AccessToken?) throws(HTTPProblem) -> OpenAPI {
        OpenAPI(models: try seen(setup, token), version: setup.version)
    }

    private func document(_ id: String, of model: ReadModel, _ target: RequestTarget, _ request: Request, _ setup: ReadSetup, _ token: AccessToken?)
        async throws(HTTPProblem)
        -> Response
    {
        var (fields, allowsStale, moment): ([[String]]?, Bool, PastMoment?) = (nil, false, nil)
        var seen: Set<String> = []
        for parameter in target.query {
            guard seen.insert(parameter.name).inserted else { throw .badRequest("\(parameter.name) stands twice in the query") }
            switch parameter.name {
            case "fields": fields = try FieldList.read(parameter.value)
            case "stale": allowsStale = try FieldList.isStaleAllowed(parameter.value)
            case "at": moment = try HistoryParameters.moment(parameter.value)
            default: throw Self.unknown(parameter, known: ["fields", "at", "stale"])
            }
        }
        let shown = Shown(fields, of: model)
        if let moment { return try await document(id, of: model, at: moment, shown, setup) }
        var time = try await consistency(of: request, model, [model.partition(of: id)], allowsStale, setup, token)
        let answer: LookupAnswer
        switch await setup.lookups(at: time.place).result(of: id, in: model, at: time.place, names: shown.names, after: time.after, until: time.deadline) {
        case .success(let found): answer = found
        case .failure(let failure): throw Self.problem(failure)
        }
        time.isStale = time.isStale || answer.isStale
        var headers = Self.headers(answer.lag, time)
        headers[.position] = setup.position(answer.offset, of: model.partition(of: id))
        guard let found = answer.document else {
            throw HTTPProblem(.notFound, .noSuchDocument, "\(model.name) has no document \(JSON.write(.string(id)))", headers: headers)
        }
        let tag = Self.tag(answer, found, shown)
        headers[.eTag] = tag
        headers[.cacheControl] = "private, no-cache"
        if Self.matches(request.headers[values: .ifNoneMatch], tag) { return Response(status: .notModified, headers: headers) }
        var body: [UInt8] = []
        body.reserveCapacity(found.raw.size * 3 / 2)
        try Self.append(found.raw, shown.mask, to: &body)
        return Self.json(body, headers)
    }

    private func document(_ id: String, of model: ReadModel, at moment: PastMoment, _ shown: Shown, _ setup: ReadSetup) async throws(HTTPProblem) -> Response {
        let found: RawDocument?
        do throws(ReadFailure) {
            found = try await setup.past.document(of: id, in: model, at: moment, until: .now + setup.deadline)
        } catch {
            throw Self.problem(error)
        }
        guard let found else { throw HTTPProblem(.notFound, .noSuchDocument, "\(model.name) had no document \(JSON.write(.string(id))) then") }
        var body: [UInt8] = []
        try Self.append(found, shown.mask, to: &body)
        return Self.json(body, [.cacheControl: "private, no-cache"])
    }

    private func history(of id: String, in model: ReadModel, _ target: RequestTarget, _ setup: ReadSetup) async throws(HTTPProblem) -> Response {
        let parameters = try HistoryParameters(target.query)
        let shown = Shown(parameters.fields, of: model)
        let (steps, next): ([PastStep], Position?)
        do throws(ReadFailure) {
            (steps, next) = try await setup.past.steps(
                of: id, in: model, after: parameters.after, limit: parameters.limit, until: .now + setup.deadline)
        } catch {
            throw Self.problem(error)
        }
        if steps.isEmpty, parameters.after == nil {
            throw HTTPProblem(.notFound, .noSuchDocument, "no event of \(JSON.write(.string(id))) has taken effect in \(model.name)")
        }
        var body = Array("{\"events\":[".utf8)
        for (place, step) in steps.enumerated() {
            if place > 0 { body.append(UInt8(ascii: ",")) }
            // The document stands last, and is written from its bytes.
            body += JSON.write(.document(step.head)).utf8.dropLast()
            body += ",\"document\":".utf8
            if let document = step.document { try Self.append(document, shown.mask, to: &body) } else { body += "null".utf8 }
            body.append(UInt8(ascii: "}"))
            try Self.check(size: body.count)
        }
        body += "],\"next\":\(next.map { "\"\($0)\"" } ?? "null")}".utf8
        return Self.json(body, [.cacheControl: "private, no-cache"])
    }

    private func batch(_ asked: BatchBody, of model: ReadModel, _ target: RequestTarget, _ request: Request, _ setup: ReadSetup, _ token: AccessToken?)
        async throws(HTTPProblem)
        -> Response
    {
        var allowsStale = false
        for parameter in target.query {
            guard parameter.name == "stale" else { throw Self.unknown(parameter, known: ["stale"]) }
            allowsStale = try FieldList.isStaleAllowed(parameter.value)
        }
        let shown = Shown(asked.fields, of: model)
        var time = try await consistency(of: request, model, Array(Set(asked.ids.map(model.partition))), allowsStale, setup, token)
        let (lookups, names, read) = (setup.lookups(at: time.place), shown.names, time)
        let results = await withTaskGroup(of: (place: Int, result: Result<LookupAnswer, ReadFailure>).self) { group in
            for (place, id) in asked.ids.enumerated() {
                group.addTask { (place, await lookups.result(of: id, in: model, at: read.place, names: names, after: read.after, until: read.deadline)) }
            }
            return await group.reduce(into: [Int: Result<LookupAnswer, ReadFailure>]()) { $0[$1.place] = $1.result }
        }
        var (body, missing, lag) = (Array("{\"documents\":[".utf8), [Value](), Int64(0))
        var offsets: [PartitionID: Int64] = [:]
        var isFirst = true
        for (place, id) in asked.ids.enumerated() {
            guard let result = results[place] else { throw Self.problem(.late) }
            let answer: LookupAnswer
            switch result {
            case .success(let found): answer = found
            case .failure(let failure): throw Self.problem(failure)
            }
            lag = max(lag, answer.lag)
            time.isStale = time.isStale || answer.isStale
            offsets[model.partition(of: id)] = min(answer.offset, offsets[model.partition(of: id)] ?? .max)
            guard let found = answer.document else {
                missing.append(.string(id))
                continue
            }
            if !isFirst { body.append(UInt8(ascii: ",")) }
            isFirst = false
            try Self.append(found.raw, shown.mask, to: &body)
            try Self.check(size: body.count)
        }
        body += "],\"missing\":\(JSON.write(.array(missing)))}".utf8
        var headers = Self.headers(lag, time)
        headers[.cacheControl] = "private, no-cache"
        headers[.position] = setup.position(offsets)
        return Self.json(body, headers)
    }

    private func page(of model: ReadModel, _ target: RequestTarget, _ request: Request, _ setup: ReadSetup, _ token: AccessToken?) async throws(HTTPProblem)
        -> Response
    {
        let parameters = try PageParameters(target.query, of: model)
        let shown = Shown(parameters.fields, of: model)
        var wanted = try parameters.request(of: model)
        wanted.names = shown.names
        let time = try await consistency(of: request, model, model.allPartitions, parameters.allowsStale, setup, token)
        let answer: PageAnswer
        do throws(ReadFailure) {
            answer = try await setup.pages.page(wanted, of: model, at: time.place, after: time.after, until: time.deadline)
        } catch {
            throw Self.problem(error)
        }
        var body = Array("{\"documents\":[".utf8)
        for (place, document) in answer.documents.enumerated() {
            if place > 0 { body.append(UInt8(ascii: ",")) }
            try Self.append(document.raw, shown.mask, to: &body)
            try Self.check(size: body.count)
        }
        let next = answer.next.map { PageCursor.write($0, of: parameters.query, model: model.name, index: wanted.index) }
        body += "],\"next\":\(next.map { "\"\($0)\"" } ?? "null")}".utf8
        var headers = Self.headers(answer.lag, time)
        headers[.cacheControl] = "private, no-cache"
        headers[.position] = setup.position(answer.offsets)
        return Self.json(body, headers)
    }

    // MARK: Consistency

    /// Where and from when on something is to be read.
    private struct ReadTime {
        var place: ReadPlace
        var after: OperationTime?
        var deadline: ContinuousClock.Instant
        var applied: [String] = []
        /// Where it was not reached, and that was allowed.
        var isStale = false
    }

    private func consistency(
        of request: Request, _ model: ReadModel, _ partitions: [PartitionID], _ allowsStale: Bool, _ setup: ReadSetup, _ token: AccessToken?
    ) async throws(HTTPProblem) -> ReadTime {
        let preferences = try ReadPreferences(request.headers)
        var time = ReadTime(place: model.place, deadline: .now + setup.deadline, applied: preferences.applied)
        guard preferences.consistency != .eventual else { return time }
        if let token, preferences.consistency > token.consistency {
            throw HTTPProblem(
                .forbidden, .forbidden, "the token is for consistency=\(token.consistency.rawValue)", hint: "ask for that, or make a token for more")
        }
        let began = ContinuousClock.now
        let outcome = await setup.caughtUp.wait(for: model, partitions, until: began + preferences.wait)
        // What was waited is not taken from the time for reading.
        time.deadline = .now + setup.deadline
        switch outcome {
        case .reached(let operationTime):
            metrics.waited(for: model.name, isReached: true, .now - began)
            time.after = operationTime
            if preferences.consistency == .strong { time.place = .primary }
        case .notReached(let reason, let lag):
            metrics.waited(for: model.name, isReached: false, .now - began)
            guard allowsStale else { throw Self.notCaughtUp(reason, lag, model, preferences) }
            (time.isStale, time.applied) = (true, [])
        }
        return time
    }

    private static func notCaughtUp(_ reason: CaughtUp.Reason, _ lag: Int64, _ model: ReadModel, _ preferences: ReadPreferences) -> HTTPProblem {
        let (word, detail) =
            switch reason {
            case .late: ("late", "what was pushed before the request was not applied within \(preferences.wait)")
            case .paused: ("paused", "somebody has paused the job that drains \(model.stream)")
            case .stopped: ("stopped", "\(model.name) is stopped until somebody acts: see millrace status")
            case .rewound: ("rewound", "Redis restarted, and what it held may not come back")
            case .unknown(let why): ("unknown", "whether everything was applied cannot be told: \(why)")
            }
        return HTTPProblem(
            .serviceUnavailable, .notCaughtUp, detail, hint: "ask again, or with stale=ok for what there is", retryAfter: 1,
            members: ["reason": .string(word), "lagSeconds": .double(Double(lag) / 1000)])
    }

    // MARK: Parts

    static func unknown(_ parameter: RequestTarget.Parameter, known: [String]) -> HTTPProblem {
        .badRequest(
            "\(JSON.write(.string(String(parameter.name.prefix(80))))) is no parameter of this path",
            hint: known.isEmpty ? "it takes none" : "it takes \(known.joined(separator: ", "))")
    }

    /// What is shown of a document.
    private struct Shown {
        var mask: FieldMask
        /// Differs where what is shown does.
        var tag: String
        /// The fields that are needed for it; nil for all.
        var names: [String]?

        init(_ fields: [[String]]?, of model: ReadModel) {
            (mask, tag) = (model.mask, model.maskTag)
            guard let fields else { return }
            mask = mask.intersection(.only([["_id"]] + fields))
            (tag, names) = (String(mask.tag, radix: 36), mask.names)
        }
    }

    /// Of what the document was made by and of what is shown of it.
    private static func tag(_ answer: LookupAnswer, _ document: ReadDocument, _ shown: Shown) -> String {
        var tag = "\""
        for number in [Int64(answer.build.number), answer.generation, Int64(document.position.partition), document.position.offset] {
            tag += String(number)
            tag += "."
        }
        return tag + shown.tag + "\""
    }

    private static func matches(_ given: [String], _ tag: String) -> Bool {
        given.contains { field in
            field.split(separator: ",").contains { part in
                let text = part.drop { $0 == " " }
                return text == "*" || (text.hasPrefix("W/") ? text.dropFirst(2) : text).prefix { $0 != " " } == tag
            }
        }
    }

    private static func headers(_ lag: Int64, _ time: ReadTime) -> HTTPFields {
        var headers: HTTPFields = [.lag: lag == 0 ? "0" : "\(Double(lag) / 1000)"]
        if time.isStale { headers[.stale] = "true" }
        if !time.applied.isEmpty { headers[.preferenceApplied] = time.applied.joined(separator: ", ") }
        return headers
    }

    private static func json(_ body: [UInt8], _ headers: HTTPFields) -> Response {
        var headers = headers
        headers[.contentType] = "application/json"
        return Response(status: .ok, headers: headers, body: .init(byteBuffer: ByteBuffer(bytes: body)))
    }

    /// Bytes of an answer with several documents.
    private static let longestAnswer = 16 << 20
    /// Of a request's body.
    private static let longestBody = 1 << 20

    private static func check(size: Int) throws(HTTPProblem) {
        guard size <= longestAnswer else {
            throw HTTPProblem(
                .contentTooLarge, .answerTooLarge, "the answer is larger than \(longestAnswer >> 20) MiB", hint: "ask for fewer documents, or for some fields")
        }
    }

    private static func append(_ document: RawDocument, _ mask: FieldMask, to text: inout [UInt8]) throws(HTTPProblem) {
        var body: [UInt8] = []
        swap(&body, &text)
        defer { swap(&body, &text) }
        do throws(BSONError) {
            try document.withBytes { (bytes) throws(BSONError) in try DocumentText.append(bytes, mask, to: &body) }
        } catch {
            throw HTTPProblem(.internalServerError, .bug, "the document cannot be written: \(error)")
        }
    }

    /// However slowly it comes, a client has so long for a body.
    private static let bodyLimit = TimeAmount.seconds(10)

    private static func body(of request: Request, _ channel: any Channel) async throws(HTTPProblem) -> [UInt8] {
        let tooLarge = HTTPProblem(.contentTooLarge, .requestTooLarge, "the body is larger than \(longestBody >> 10) KiB", headers: [.connection: "close"])
        if let length = request.headers[.contentLength].flatMap(Int.init), length > longestBody { throw tooLarge }
        let late = channel.eventLoop.scheduleTask(in: bodyLimit) { channel.close(promise: nil) }
        defer { late.cancel() }
        var body: [UInt8] = []
        do {
            for try await part in request.body {
                body += part.readableBytesView
                if body.count > longestBody { throw tooLarge }
            }
        } catch let problem as HTTPProblem {
            throw problem
        } catch {
            throw .badRequest("the body ends early")
        }
        return body
    }

    static func problem(_ failure: ReadFailure) -> HTTPProblem {
        switch failure {
        case .overloaded:
            HTTPProblem(.serviceUnavailable, .overloaded, "too many reads are under way", hint: "ask again in a moment, and more slowly", retryAfter: 1)
        case .resting(let pause):
            HTTPProblem(
                .serviceUnavailable, .serverUnreachable, "MongoDB was not well a moment ago, and is not asked before it had a rest",
                hint: "ask again in a moment",
                retryAfter: max(1, Int((pause / .seconds(1)).rounded(.up))))
        case .late: HTTPProblem(.serviceUnavailable, .timedOut, "MongoDB gave no answer in time", hint: "ask again in a moment", retryAfter: 1)
        case .unavailable(let why):
            HTTPProblem(.serviceUnavailable, .serverUnreachable, why, hint: "ask again in a moment", retryAfter: 1)
        case .refused(let refusal) where refusal.problem == .badInput: .badRequest(refusal.message)
        case .refused(let refusal) where refusal.problem == .logPruned: HTTPProblem(.gone, .logPruned, refusal.message)
        case .refused(let refusal) where refusal.problem == .badRequest: .badRequest(refusal.message)
        case .refused(let refusal) where refusal.problem == .noIndex:
            HTTPProblem(.badRequest, .noIndex, refusal.message, hint: "sort by a field that is no list")
        case .refused(let refusal) where refusal.problem == .bug: HTTPProblem(.internalServerError, .bug, refusal.message)
        case .refused(let refusal): HTTPProblem(.serviceUnavailable, refusal.problem, refusal.message, retryAfter: 1)
        }
    }
}
