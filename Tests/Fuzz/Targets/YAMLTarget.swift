import Events
import Fixtures
import Models
import Values

@testable import Definitions

/// A text is a definition, or it has at least one problem with a place; and a definition that was taken folds any event.
enum YAMLTarget {
    static func check(_ input: [UInt8]) -> String? {
        guard let text = String(validating: input, as: UTF8.self) else { return nil }
        return configuration(text) ?? job(text) ?? model(text) ?? cases(text)
    }

    private static func configuration(_ text: String) -> String? {
        let findings = Findings(file: "millrace.yaml")
        let settings = ConfigurationReader(findings: findings, environment: [:]).read(text)
        guard !findings.isEmpty || !settings.streams.isEmpty else { return "a configuration without streams is good" }
        return check(findings.problems, text)
    }

    private static func job(_ text: String) -> String? {
        let findings = Findings(file: "job.yaml")
        let job = JobReader(findings: findings, streams: ["product"], models: ["product"]).read(text, name: "job")
        guard (job == nil) != findings.isEmpty else { return "a job that is not good has no problem, or one that is has" }
        return check(findings.problems, text)
    }

    private static func model(_ text: String) -> String? {
        do throws(ConfigurationProblems) {
            let model = try ModelReader.read(source: text, file: "model.yaml")
            guard try ModelReader.read(source: model.source, file: "model.yaml").foldHash == model.foldHash else { return "a model has two hashes" }
            return fold(model)
        } catch {
            guard !error.problems.isEmpty else { return "a model that is not good has no problem" }
            return check(error.problems, text)
        }
    }

    /// Cases run to an end, whatever they say, and what is written over them can be read.
    private static func cases(_ text: String) -> String? {
        let findings = Findings(file: "cases.yaml")
        let file = CaseReader(findings: findings, models: nil).read(text)
        guard findings.isEmpty, let file else { return findings.isEmpty ? "cases that are not good have no problem" : check(findings.problems, text) }
        let fold = EffectFold(
            [:], others: [Effect([.set(FieldPath(["data"]), .event(name: .data, path: [])), .increment(FieldPath(["n"]), .literal(.init(1)))])])
        let model = Model(name: file.model, stream: "product", fold: fold, source: "", foldHash: "", stoppingHash: "")
        let results = file.cases.map { $0.run(model, StreamSettings(name: "product"), file: file.file) }
        for difference in results.flatMap(\.differences) where difference.what.hasPrefix("cut after") || difference.what.hasPrefix("the case cannot be run") {
            return "\(difference.what): \(difference.lines)"
        }
        let update = CaseUpdate(file, results)
        let again = Findings(file: "cases.yaml")
        let written = CaseReader(findings: again, models: nil).read(update.text)
        return again.isEmpty && written?.cases.count == file.cases.count ? nil : "what was written over cases cannot be read: \(again.problems)"
    }

    private static let wholeFile = ["is empty", "holds more than", "is nested too deeply", "is not valid YAML"]

    private static func check(_ problems: [ConfigurationProblem], _ text: String) -> String? {
        // Lines as libyaml counts them, and one more, where a file ends without what it lacks.
        let lines = text.unicodeScalars.count { ["\n", "\r", "\u{85}", "\u{2028}", "\u{2029}"].contains($0) } + 2
        for problem in problems {
            guard problem.description.unicodeScalars.allSatisfy({ $0.properties.generalCategory != .control }) else {
                return "a control character is shown: \(problem.description.debugDescription)"
            }
            guard let line = problem.line, let column = problem.column else {
                guard wholeFile.contains(where: problem.message.hasPrefix) else { return "a problem has no place: \(problem)" }
                continue
            }
            guard 1...lines ~= line, 1...(text.unicodeScalars.count + 1) ~= column else { return "a problem lies outside the file: \(problem)" }
        }
        return nil
    }

    private static let events: [[UInt8]] = [
        #"{"eventId":"1","eventType":"t","key":"k","data":{}}"#, #"{"eventId":"2","eventType":"t","key":"k","occurredAt":"2026-11-20T10:00:00Z"}"#,
        #"{"eventId":"3","eventType":"t","key":"k","data":{"a":1,"b":[{"id":"x","n":2.5},{"id":"y"}],"id":"x","delta":9223372036854775807,"name":"n"}}"#,
        #"{"eventId":"4","eventType":"t","key":"k","data":{"a":-1.5e300,"b":"text","id":7,"delta":-1,"name":null}}"#,
    ].map { Array($0.utf8) }

    /// Folds all events twice under each event type: the document changes where the fold says so, and can be stored.
    private static func fold(_ model: Model) -> String? {
        for type in model.fold.effects.keys.sorted() {
            var fields: Document?
            let findings = JSONText.read(events + events) { root -> String? in
                let before = fields
                do throws(Refusal) {
                    let changed = try model.fold.fold(Event(type: type, key: "k", time: root.member("occurredAt").map { _ in 1 }, root: root), into: &fields)
                    if !changed, !isSame(fields, before) { return "the fold changed a document and denies it" }
                } catch {
                    guard isSame(fields, before) else { return "an event that was refused changed the document: \(error)" }
                }
                guard let fields else { return nil }
                let stored = StoredDocument(key: "k", position: DocumentPosition(partition: 0, offset: 0, time: 0), fields: fields)
                return (try? Document(bson: stored.bson)).map(BSON.encode) == stored.bson ? nil : "a folded document cannot be stored"
            }
            for case .success(let finding?) in findings { return finding }
        }
        return nil
    }

    /// By bytes: a number that is none is not equal to itself.
    private static func isSame(_ left: Document?, _ right: Document?) -> Bool { left.map(BSON.encode) == right.map(BSON.encode) }
}
