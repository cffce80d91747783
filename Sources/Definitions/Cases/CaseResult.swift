import Events
import Models
import Projector
import Values

/// How one case came out.
public struct CaseResult: Sendable {
    public var file: String
    public var model: String
    public var `case`: Case
    /// Empty when everything is as expected.
    public var differences: [CaseDifference] = []
    public var lasted: Duration = .zero
    /// What the case would have to expect, where that is all that is wrong with it.
    var actual: Expectation?

    public var isGood: Bool { differences.isEmpty }
}

extension Case {
    /// Runs the case against a model of a stream. No I/O.
    public func run(_ model: Model, _ stream: StreamSettings, file: String) -> CaseResult {
        let started = ContinuousClock.now
        var result = CaseResult(file: file, model: model.name, case: self)
        do {
            let (end, differences) = try CaseRun(of: self, fold: model.fold, build: BuildID(model: model.name, number: 1), stream: stream).run()
            let compared = compare(end)
            result.differences = compared + differences
            if !compared.isEmpty { result.actual = expectation(of: end) }
        } catch {
            result.differences = [CaseDifference(what: "the case cannot be run: \(error)", lines: [])]
        }
        result.lasted = .now - started
        return result
    }

    // MARK: Expected and found

    private func compare(_ end: CaseRun.End) -> [CaseDifference] {
        guard let expectation else {
            return [CaseDifference(what: "the case does not say what to expect", lines: ["millrace test --update writes what comes out"])]
        }
        var lines: [String] = []
        if let documents = expectation.documents { lines += CaseDifference.lines(expected: documents, found: visible(end.documents)) }
        for id in expectation.absent {
            guard let found = end.documents.first(where: { $0.id.utf8Equal(id) }) else { continue }
            lines.append("\(YAMLText.scalar(id)): expected no document, found \(YAMLText.short(.document(found.fields)))")
        }
        for (place, fate) in end.fates.enumerated() {
            let expected = expectation.fate(of: place + 1)
            if expected != fate.short { lines.append("event \(place + 1)\(kind(of: place)): expected \(expected), found \(fate.long)") }
        }
        return lines.isEmpty ? [] : [CaseDifference(what: "something else comes out than is expected", lines: lines)]
    }

    /// Fields that are Millrace's own are only there for cases that name them; but an orphan is another document than one
    /// that is served.
    private func visible(_ documents: [(id: String, fields: Document)]) -> [(id: String, fields: Document)] {
        documents.map { id, fields in
            let named = expectation?.documents?.first { $0.id.utf8Equal(id) }?.fields
            var shown = fields
            for name in StoredDocument.hiddenFields where name != StoredDocument.orphanField && named?[name] == nil { shown[name] = nil }
            return (id, shown)
        }
    }

    /// The event's type, for messages.
    private func kind(of place: Int) -> String {
        guard case .event(let event) = elements[place], let type = (event["eventType"] ?? event["type"])?.asString else { return "" }
        return " (\(type))"
    }

    /// What the case would have to expect. It looks at documents where it did, or nothing was said.
    private func expectation(of end: CaseRun.End) -> Expectation {
        var actual = Expectation()
        if expectation == nil || expectation?.documents != nil { actual.documents = visible(end.documents) }
        actual.absent = expectation?.absent.filter { id in !end.documents.contains { $0.id.utf8Equal(id) } } ?? []
        for (place, fate) in end.fates.enumerated() {
            switch fate {
            case .applied: break
            case .held: actual.held.append(place + 1)
            case .ignored: actual.ignored.append(place + 1)
            case .duplicate: actual.duplicates.append(place + 1)
            case .parked(let refusal): actual.parked.append((place + 1, refusal.problem.rawValue))
            case .stopped(let refusal): actual.stopped = (place + 1, refusal.problem.rawValue)
            case .waiting: break
            }
        }
        return actual
    }
}

extension Expectation {
    fileprivate func fate(of number: Int) -> String {
        if ignored.contains(number) { return "ignored" }
        if duplicates.contains(number) { return "a duplicate" }
        if held.contains(number) { return "held" }
        if let stopped, stopped.event <= number { return stopped.event == number ? "stopped (\(stopped.problem))" : "waiting" }
        return parked.first { $0.event == number }.map { "parked (\($0.problem))" } ?? "applied"
    }

    /// As YAML, in the order in which people read it.
    var value: Document {
        var value = Document()
        if let documents { value.append("documents", .document(Document(documents.map { Document.Field($0.id, .document($0.fields)) }))) }
        func numbers(_ name: String, _ numbers: [Int]) {
            if !numbers.isEmpty { value.append(name, .array(numbers.map { Value(integer: Int64($0)) })) }
        }
        if !absent.isEmpty { value.append("absent", .array(absent.map(Value.string))) }
        numbers("ignored", ignored)
        numbers("duplicates", duplicates)
        if !parked.isEmpty {
            value.append("parked", .array(parked.map { ["event": Value(integer: Int64($0.event)), "problem": .string($0.problem)] }))
        }
        numbers("held", held)
        if let stopped { value.append("stopped", ["event": Value(integer: Int64(stopped.event)), "problem": .string(stopped.problem)]) }
        return value
    }
}

extension CaseRun.Fate {
    fileprivate var short: String {
        switch self {
        case .applied: "applied"
        case .ignored: "ignored"
        case .duplicate: "a duplicate"
        case .held: "held"
        case .waiting: "waiting"
        case .parked(let refusal): "parked (\(refusal.problem))"
        case .stopped(let refusal): "stopped (\(refusal.problem))"
        }
    }

    fileprivate var long: String {
        switch self {
        case .parked(let refusal): "parked (\(refusal))"
        case .stopped(let refusal): "stopped (\(refusal))"
        default: short
        }
    }
}
