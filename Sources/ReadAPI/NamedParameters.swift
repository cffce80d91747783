import Events
import Reads
import Values

/// What a request's query says, by the names that its path knows.
struct NamedParameters {
    private let values: [String: String]

    /// Of answers with several parts.
    static let limits = 1...1000
    static let standardLimit = 50

    /// - Parameter others: takes those with other names; without it, there may be none.
    init(
        _ parameters: [RequestTarget.Parameter], _ known: [String], others: ((RequestTarget.Parameter) throws(HTTPProblem) -> Void)? = nil
    ) throws(HTTPProblem) {
        var values: [String: String] = [:]
        for parameter in parameters {
            guard known.contains(parameter.name) else {
                guard let others else {
                    throw .badRequest(
                        "\(Self.quoted(parameter.name)) is no parameter of this path",
                        hint: known.isEmpty ? "it takes none" : "it takes \(known.joined(separator: ", "))")
                }
                try others(parameter)
                continue
            }
            guard values.updateValue(parameter.value, forKey: parameter.name) == nil else {
                throw .badRequest("\(parameter.name) stands twice in the query")
            }
        }
        self.values = values
    }

    subscript(name: String) -> String? { values[name] }

    /// `fields=a,b.c`; nil for all.
    var fields: [[String]]? { get throws(HTTPProblem) { try values["fields"].map { (text) throws(HTTPProblem) in try FieldList.read(text) } } }

    /// `limit=50`.
    var limit: Int {
        get throws(HTTPProblem) {
            guard let text = values["limit"] else { return Self.standardLimit }
            guard let number = Int(text), Self.limits.contains(number) else {
                throw .badRequest("limit is \(Self.quoted(text))", hint: "write \(Self.limits.lowerBound) to \(Self.limits.upperBound)")
            }
            return number
        }
    }

    /// `stale=ok`.
    var isStaleAllowed: Bool {
        get throws(HTTPProblem) {
            guard let text = values["stale"] else { return false }
            guard text == "ok" else { throw .badRequest("stale is \(Self.quoted(text))", hint: "write stale=ok, or leave it out") }
            return true
        }
    }

    /// `after=`, where that is a position.
    var position: Position? {
        get throws(HTTPProblem) {
            guard let text = values["after"] else { return nil }
            guard let position = Position(text) else { throw .badRequest("after is not what an earlier answer gave as next") }
            return position
        }
    }

    /// `at=`: a time or a position; nil for now.
    var moment: PastMoment? {
        get throws(HTTPProblem) {
            guard let text = values["at"] else { return nil }
            if let position = Position(text) { return .position(position) }
            guard let time = DateTime.parse(text) else {
                throw .badRequest("at is \(Self.quoted(text)), neither a time nor a position", hint: "write at=2026-11-20T10:00:00Z, or a position of the log")
            }
            return .time(time)
        }
    }

    private static func quoted(_ text: String) -> String { JSON.write(.string(String(text.prefix(80)))) }
}

/// Paths of fields that somebody asks for.
enum FieldList {
    /// Of one request: what is shown is compared with each for every field.
    static let mostPaths = 100
    private static let longestPath = 32

    static func read(_ text: String) throws(HTTPProblem) -> [[String]] {
        var paths: [[String]] = []
        for path in text.split(separator: ",", omittingEmptySubsequences: false) {
            let names = path.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
            guard names.allSatisfy({ !$0.isEmpty && !$0.hasPrefix("$") && !$0.utf8.contains(0) }) else {
                throw .badRequest("fields has the path \(JSON.write(.string(String(path.prefix(80)))))", hint: "write fields=name,price.amount")
            }
            guard names.count <= longestPath, paths.count < mostPaths else {
                throw .badRequest("fields has more than \(mostPaths) paths, or one of more than \(longestPath) names")
            }
            paths.append(names)
        }
        return paths
    }
}
