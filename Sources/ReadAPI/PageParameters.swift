import Events
import Foundation
import HTTPTypes
import Models
import Reads
import Values

/// The query of a page: `?field=op.value&sort=field,-other&limit=50&after=…&fields=a,b.c`.
struct PageParameters {
    var query = PageQuery()
    var fields: [[String]]?
    var limit: Int
    var after: String?
    var allowsStale: Bool

    init(_ parameters: [RequestTarget.Parameter], of model: ReadModel) throws(HTTPProblem) {
        var conditions: [PageQuery.Condition] = []
        let named = try NamedParameters(parameters, ["sort", "limit", "after", "fields", "stale"]) { (parameter) throws(HTTPProblem) in
            conditions.append(try Self.condition(parameter.name, parameter.value, of: model))
        }
        query.conditions = conditions
        if let sort = named["sort"] { query.sort = try Self.sort(sort, of: model) }
        (fields, limit, after, allowsStale) = (try named.fields, try named.limit, named["after"], try named.isStaleAllowed)
    }

    /// What documents can be looked for by: the fields of the model's indexes that are not private.
    static func paths(of model: ReadModel) -> [String] {
        var paths: [String] = ["_id"]
        for path in model.indexes.flatMap(\.fields).map(\.path) where !paths.contains(path) && model.shows(path) { paths.append(path) }
        return paths
    }

    private static func check(_ path: String, _ model: ReadModel) throws(HTTPProblem) {
        let known = paths(of: model)
        guard known.contains(path) else {
            throw HTTPProblem(
                .noIndex, "no index of \(model.name) has the field \(JSON.write(.string(path)))",
                hint: "ask by one of \(known.joined(separator: ", ")), or add the field to indexes: of the model")
        }
    }

    private static func condition(_ path: String, _ text: String, of model: ReadModel) throws(HTTPProblem) -> PageQuery.Condition {
        try check(path, model)
        let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, let comparison = PageQuery.Comparison(rawValue: String(parts[0])) else {
            let known = PageQuery.Comparison.allCases.map(\.rawValue).joined(separator: ", ")
            throw .badRequest("\(path)=\(text.prefix(80)) does not begin with an operator", hint: "write \(path)=eq.value; there are \(known)")
        }
        return PageQuery.Condition(path, comparison, try value(String(parts[1]), of: path))
    }

    /// A JSON number, true, false or null; `@` and a time for a date; and else a string, which may stand in quotes.
    private static func value(_ text: String, of path: String) throws(HTTPProblem) -> Value {
        if path == "_id" { return .string(text) }
        if text.hasPrefix("@") {
            guard let date = DateTime.parse(String(text.dropFirst())) else {
                throw .badRequest("\(text.prefix(80)) is no time", hint: "write @2026-11-20T10:00:00Z, or \"@…\" in quotes for a string")
            }
            return .date(date)
        }
        let bytes = Array(text.utf8)
        let tape = JSONTape(parsing: bytes, offsets: [0], lengths: [UInt32(bytes.count)])
        let parsed = withExtendedLifetime(tape) { try? tape.root(0).get().value }
        switch parsed {
        case nil, .document?, .array?: return .string(text)
        case let value?: return value
        }
    }

    private static func sort(_ text: String, of model: ReadModel) throws(HTTPProblem) -> [DocumentIndex.Field] {
        var fields: [DocumentIndex.Field] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let isDescending = part.hasPrefix("-")
            let path = String(isDescending ? part.dropFirst() : part)
            try check(path, model)
            guard !fields.contains(where: { $0.path == path }) else { throw .badRequest("sort names \(path) twice") }
            fields.append(DocumentIndex.Field(path, isDescending ? -1 : 1))
        }
        return fields
    }

    /// What MongoDB is asked for.
    ///
    /// - Parameter names: the fields that are needed; nil for all.
    func request(of model: ReadModel, names: [String]?) throws(HTTPProblem) -> PageRequest {
        let seen = model.indexes.filter { $0.fields.allSatisfy { model.shows($0.path) } }
        guard let (index, isBackward) = query.index(among: seen) else {
            let known = seen.map { index in index.fields.map { ($0.direction < 0 ? "-" : "") + $0.path }.joined(separator: ",") }
            throw HTTPProblem(
                .noIndex, "no index of \(model.name) answers these conditions in this order",
                hint: "what must be equal comes first in an index, then what is compared or sorted by; there are: \((["_id"] + known).joined(separator: "; "))")
        }
        let cursor = try after.map { text throws(HTTPProblem) in try PageCursor.read(text, of: query, model: model.name, index: index) }
        return PageRequest(index: index, isBackward: isBackward, conditions: query.conditions, after: cursor, limit: limit, names: names)
    }
}

/// Where the next page begins: opaque outside, and of one question only.
enum PageCursor {
    static func write(_ values: [Value], of query: PageQuery, model: String, index: DocumentIndex) -> String {
        Base64URL.encode(BSON.encode(["q": .string(digest(query, model, index)), "v": .array(values)]))
    }

    static func read(_ text: String, of query: PageQuery, model: String, index: DocumentIndex) throws(HTTPProblem) -> [Value] {
        guard let bytes = Base64URL.decode(text), let document = try? Document(bson: bytes), let values = document["v"]?.asArray,
            values.count == index.fields.count
        else { throw .badRequest("after is not what an earlier page gave as next") }
        guard document["q"]?.asString == digest(query, model, index) else {
            throw .badRequest("after is of another question", hint: "keep conditions and sort as they were, or begin again without after")
        }
        return values
    }

    private static func digest(_ query: PageQuery, _ model: String, _ index: DocumentIndex) -> String {
        let conditions = query.conditions.map { "\($0.path) \($0.comparison.rawValue) \(JSON.write($0.value))" }.sorted()
        let sort = query.sort.map { "\($0.path) \($0.direction)" }
        return Digest(of: JSON.write(.array(([model, index.name] + conditions + ["sort"] + sort).map(Value.string))).utf8).hex
    }
}
