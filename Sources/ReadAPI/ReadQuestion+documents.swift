import Events
import HTTPTypes
import Hummingbird
import NIOCore
import Reads
import Values

// Documents as they are.
extension ReadQuestion {
    func document(_ id: String, of model: ReadModel) async throws(HTTPProblem) -> HTTPAnswer {
        let parameters = try parameters(DocumentLookup.parameters)
        let shown = Shown(try parameters.fields, of: model)
        if let moment = try parameters.moment { return try await document(id, of: model, at: moment, shown) }
        let time = try await readTime(model, [model.partition(of: id)], allowsStale: try parameters.isStaleAllowed)
        let lookup = DocumentLookup(id, of: model, shown, at: time, request.headers, setup)
        return try lookup.answer(await lookup.result())
    }

    func batch(of model: ReadModel) async throws(HTTPProblem) -> HTTPAnswer {
        let asked = try BatchBody(try await request.bytes(from: channel))
        try setup.admission.take(asked.ids.count, of: token)
        let shown = Shown(asked.fields, of: model)
        let allowsStale = try parameters(["stale"]).isStaleAllowed
        var time = try await readTime(model, Array(Set(asked.ids.map(model.partition))), allowsStale: allowsStale)
        let (lookups, names, read) = (setup.lookups(at: time.place), shown.names, time)
        let results = await withTaskGroup(of: (place: Int, result: Result<LookupAnswer, ReadFailure>).self) { group in
            for (place, id) in asked.ids.enumerated() {
                group.addTask { (place, await lookups.result(of: id, in: model, at: read.place, names: names, after: read.after, until: read.deadline)) }
            }
            return await group.reduce(into: [Int: Result<LookupAnswer, ReadFailure>]()) { $0[$1.place] = $1.result }
        }
        var (body, missing, lag) = (JSONBody(list: "documents"), [Value](), Int64(0))
        var offsets: [PartitionID: Int64] = [:]
        for (place, id) in asked.ids.enumerated() {
            let answer = try (results[place] ?? .failure(.late)).orProblem()
            lag = max(lag, answer.lag)
            time.isStale = time.isStale || answer.isStale
            offsets[model.partition(of: id)] = min(answer.offset, offsets[model.partition(of: id)] ?? .max)
            if let found = answer.document { try body.append(found.raw, shown.mask) } else { missing.append(.string(id)) }
        }
        body.endList("missing", .array(missing))
        return body.answer(time.headers(lag: lag, at: setup.position(offsets)))
    }

    func page(of model: ReadModel) async throws(HTTPProblem) -> HTTPAnswer {
        let parameters = try PageParameters(target.query, of: model)
        let shown = Shown(parameters.fields, of: model)
        let wanted = try parameters.request(of: model, names: shown.names)
        let time = try await readTime(model, model.allPartitions, allowsStale: parameters.allowsStale)
        let answer: PageAnswer
        do throws(ReadFailure) {
            answer = try await setup.pages.page(wanted, of: model, at: time.place, after: time.after, until: time.deadline)
        } catch {
            throw HTTPProblem(error)
        }
        var body = JSONBody(list: "documents")
        for document in answer.documents { try body.append(document.raw, shown.mask) }
        let next = answer.next.map { PageCursor.write($0, of: parameters.query, model: model.name, index: wanted.index) }
        body.endList("next", next.map(Value.string) ?? .null)
        return body.answer(time.headers(lag: answer.lag, at: setup.position(answer.offsets)))
    }
}

extension Request {
    /// Of a body.
    private static let mostBytes = 1 << 20
    /// However slowly it comes, a client has so long for a body.
    private static let patience = TimeAmount.seconds(10)

    fileprivate func bytes(from channel: any Channel) async throws(HTTPProblem) -> [UInt8] {
        let tooLarge = HTTPProblem(.requestTooLarge, "the body is larger than \(Self.mostBytes >> 10) KiB", headers: [.connection: "close"])
        if let length = headers[.contentLength].flatMap(Int.init), length > Self.mostBytes { throw tooLarge }
        let late = channel.eventLoop.scheduleTask(in: Self.patience) { channel.close(promise: nil) }
        defer { late.cancel() }
        var bytes: [UInt8] = []
        do {
            for try await part in body {
                bytes += part.readableBytesView
                if bytes.count > Self.mostBytes { throw tooLarge }
            }
        } catch let problem as HTTPProblem {
            throw problem
        } catch {
            throw .badRequest("the body ends early")
        }
        return bytes
    }
}
