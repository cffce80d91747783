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

    /// - Parameter isRough: whether the last digits of decimals are left out, and what does not fit into any.
    func difference(_ verdict: ExpressionJudge.Verdict, isRough: Bool) -> String? {
        switch (self, verdict) {
        case (.value(.decimal(let mine)?), .value(.decimal(let theirs)?)) where isRough && Self.isClose(mine, theirs): nil
        case (.value(let mine), .value(let theirs)): Self.isSame(mine, theirs) ? nil : "\(Self.text(mine)), where mongod gives \(Self.text(theirs))"
        case (.value(let mine), .refused(let reason)): "\(Self.text(mine)), where mongod says: \(reason)"
        case (.parked(let refusal), .value(let theirs)): "parked as \(refusal), where mongod gives \(Self.text(theirs))"
        case (.unreadable(let message), .value(let theirs)): "check says \(message), where mongod gives \(Self.text(theirs))"
        case (.parked, .refused), (.unreadable, .refused): nil
        }
    }

    private static func text(_ value: Value?) -> String { value.map { "\(JSON.write($0)) (\($0.typeName))" } ?? "nothing" }

    private static func isClose(_ left: Decimal128, _ right: Decimal128) -> Bool {
        guard !right.isInfinite else { return !left.isNaN }
        return Decimal128.order((left - right).magnitude, right.magnitude * (Decimal128("1E-28") ?? .zero)) <= 0
    }

    /// All NaNs are one.
    private static func isSame(_ left: Value?, _ right: Value?) -> Bool {
        switch (left, right) {
        case (.double(let a)?, .double(let b)?): a.bitPattern == b.bitPattern || a.isNaN && b.isNaN
        case (.decimal(let a)?, .decimal(let b)?): a == b || a.isNaN && b.isNaN
        case (.array(let a)?, .array(let b)?): a.count == b.count && zip(a, b).allSatisfy { isSame($0, $1) }
        case (.document(let a)?, .document(let b)?):
            a.fields.count == b.fields.count && zip(a.fields, b.fields).allSatisfy { $0.name.utf8Equal($1.name) && isSame($0.value, $1.value) }
        default: left == right
        }
    }
}
