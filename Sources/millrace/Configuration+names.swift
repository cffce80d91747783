import Definitions
import Events
import Models

extension Configuration {
    /// Throws for a stream that is not configured, naming the nearest one.
    func require(streams names: [String]) throws(Refusal) {
        for name in names where stream(name) == nil { throw unknown("stream", name, streams.map(\.name)) }
    }

    /// The model's definition, or a refusal that names the nearest one.
    func require(model name: String) throws(Refusal) {
        guard model(name) != nil else { throw unknown("model", name, models.map(\.name)) }
    }

    private func unknown(_ kind: String, _ name: String, _ known: [String]) -> Refusal {
        let hint =
            Suggestion.closest(to: name, among: known).map { "did you mean \($0)?" } ?? "there is \(known.isEmpty ? "none" : known.joined(separator: ", "))"
        return Refusal(.unknownName, "there is no \(kind) \(name): \(hint)")
    }
}
