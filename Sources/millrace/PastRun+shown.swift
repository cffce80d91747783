import Events
import Projector
import Values

extension PastRun {
    /// The members that `runs` prints.
    var document: Document {
        [
            "id": .string(id), "job": .string(job), "kind": .string(kind.rawValue), "owner": .string(owner), "started": .date(started), "ended": .date(ended),
            "outcome": .string(outcome.verdict.rawValue),
            "stages": .array(outcome.stages.map { ["name": .string($0.name), "seconds": .double($0.seconds), "sums": .document($0.sums)] }),
            "sums": .document(outcome.sums),
            "problems": .array(outcome.problems.map { ["problem": .string($0.problem.rawValue), "message": .string($0.message)] }),
        ]
    }

    var seconds: String {
        let milliseconds = String(max(0, ended - started) % 1000)
        return "\(max(0, ended - started) / 1000).\(String(repeating: "0", count: 3 - milliseconds.count))\(milliseconds)"
    }

    /// Its numbers but for zeros, and the first problem.
    var summary: String {
        let numbers = outcome.sums.fields.compactMap { field -> String? in
            guard let number = field.value.asInteger, number != 0 else { return nil }
            return "\(field.name) \(Output.count(number))"
        }
        return (numbers + outcome.problems.prefix(1).map(\.description)).joined(separator: ", ")
    }
}
