import Definitions
import Events
import Models

extension Configuration {
    /// Throws for a stream that is not configured, naming the nearest one.
    func require(streams names: [String]) throws(Refusal) {
        for name in names where stream(name) == nil { throw unknown("stream", name, streams.map(\.name)) }
    }

    /// The model's definition, or a refusal that names the nearest one.
    @discardableResult
    func require(model name: String) throws(Refusal) -> Model {
        guard let model = model(name) else { throw unknown("model", name, models.map(\.name)) }
        return model
    }

    /// The same of a job: one that is switched off is none.
    func require(job name: String) throws(Refusal) {
        guard jobs.contains(where: { $0.name == name }) else { throw unknown("job", name, jobs.map(\.name)) }
    }

    /// Whether anything but the jobs differs.
    func isOther(than configuration: Configuration) -> Bool {
        func models(_ configuration: Configuration) -> [String] {
            configuration.models.map { "\($0.name) \($0.stream) \($0.foldHash) \($0.source) \($0.versions ?? "")" }
        }
        return redis != configuration.redis || mongodb != configuration.mongodb || lease != configuration.lease || keepRuns != configuration.keepRuns
            || api != configuration.api || streams != configuration.streams || models(self) != models(configuration)
    }

    private func unknown(_ kind: String, _ name: String, _ known: [String]) -> Refusal {
        let hint =
            Suggestion.closest(to: name, among: known).map { "did you mean \($0)?" } ?? "there is \(known.isEmpty ? "none" : known.joined(separator: ", "))"
        return Refusal(.unknownName, "there is no \(kind) \(name): \(hint)")
    }
}
