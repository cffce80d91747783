import HTTPTypes
import Reads

/// What a request prefers (RFC 7240): `Prefer: consistency=causal, wait=2`.
struct ReadPreferences: Hashable {
    var consistency = ReadConsistency.eventual
    /// How long may be waited for what was pushed to be applied.
    var wait = Duration.seconds(2)
    /// The preferences that were understood.
    var applied: [String] = []

    static let longestWait = 30

    init(_ fields: HTTPFields) throws(HTTPProblem) {
        for preference in fields[values: .prefer].flatMap({ $0.split(separator: ",") }) {
            // What stands behind a semicolon are parameters, which these have not.
            let parts = preference.split(separator: ";").first?.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false) ?? []
            let (name, value) = (Self.trim(parts.first ?? "").lowercased(), parts.count > 1 ? Self.trim(parts[1]) : "")
            switch name {
            case "consistency":
                guard let consistency = ReadConsistency(rawValue: value) else {
                    throw .badRequest(
                        "Prefer: consistency is \(value.isEmpty ? "empty" : value)",
                        hint: "write \(ReadConsistency.allCases.map(\.rawValue).joined(separator: ", "))")
                }
                self.consistency = consistency
            case "wait":
                guard let seconds = Int(value), seconds >= 0 else {
                    throw .badRequest("Prefer: wait is no number of seconds", hint: "write 0 to \(Self.longestWait)")
                }
                wait = .seconds(min(seconds, Self.longestWait))
            // Others are for others, and ignored as RFC 7240 asks.
            default: continue
            }
            applied.append(name == "wait" ? "wait=\(Int(wait / .seconds(1)))" : "consistency=\(value)")
        }
    }

    private static func trim(_ text: Substring) -> String {
        var text = text
        while let first = text.first, first == " " || first == "\t" || first == "\"" { text.removeFirst() }
        while let last = text.last, last == " " || last == "\t" || last == "\"" { text.removeLast() }
        return String(text)
    }
}
