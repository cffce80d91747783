import Events
import Values

@testable import Definitions
@testable import Models

/// What becomes of a case here.
enum ExpressionAnswer {
    case value(Value?)
    case parked(Refusal)
    case unreadable(String)

    init(_ one: ExpressionCase, _ event: Event) {
        let findings = Findings(file: "case.yaml")
        let expression = YAMLReader.read(one.written, findings).flatMap { ExpressionReader(findings: findings).read($0) }
        guard let expression, findings.isEmpty else {
            self = .unreadable(findings.problems.map(\.description).joined(separator: "; "))
            return
        }
        do throws(Refusal) {
            self = .value(try expression.evaluate(Context(event: event, before: one.document, isInsert: false)))
        } catch {
            self = .parked(error)
        }
    }

    var isRefused: Bool { if case .value = self { false } else { true } }

    func difference(_ verdict: ExpressionJudge.Verdict) -> String? {
        switch (self, verdict) {
        case (.value(let mine), .value(let theirs)): Self.isSame(mine, theirs) ? nil : "\(Self.text(mine)), where mongod gives \(Self.text(theirs))"
        case (.value(let mine), .refused(let reason)): "\(Self.text(mine)), where mongod says: \(reason)"
        case (.parked(let refusal), .value(let theirs)): "parked as \(refusal), where mongod gives \(Self.text(theirs))"
        case (.unreadable(let message), .value(let theirs)): "check says \(message), where mongod gives \(Self.text(theirs))"
        case (.parked, .refused), (.unreadable, .refused): nil
        }
    }

    private static func text(_ value: Value?) -> String { value.map { "\(JSON.write($0)) (\($0.typeName))" } ?? "nothing" }

    /// All NaNs are one.
    private static func isSame(_ left: Value?, _ right: Value?) -> Bool {
        switch (left, right) {
        case (.double(let a)?, .double(let b)?): a.bitPattern == b.bitPattern || a.isNaN && b.isNaN
        case (.array(let a)?, .array(let b)?): a.count == b.count && zip(a, b).allSatisfy { isSame($0, $1) }
        case (.document(let a)?, .document(let b)?):
            a.fields.count == b.fields.count && zip(a.fields, b.fields).allSatisfy { $0.name.utf8Equal($1.name) && isSame($0.value, $1.value) }
        default: left == right
        }
    }
}
