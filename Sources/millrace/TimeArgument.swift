import Events
import Values

extension DateTime {
    /// Reads a time that somebody wrote for an option: milliseconds since 1970.
    static func argument(_ text: String?, _ option: String) throws(Refusal) -> Int64? {
        guard let text else { return nil }
        guard let time = parse(text) else { throw Refusal(.badInput, "\(option) \(text) is no time: write it as 2026-11-20T10:00:00Z") }
        return time
    }
}
