import Events
import Values

/// `$contribute`: sums over source rows, of which the document keeps what each one added, so that a row that is changed,
/// read again or deleted corrects them exactly. The rows stand in a field of their own, which readers do not see.
///
/// It takes effect in two steps: the event's row is entered before the effect's paths are followed, and the sums are then
/// set like any other value, by `$set` of variables that hold them.
struct Contribute: Action {
    let path: FieldPath
    /// What tells the rows apart.
    let row: Expression
    /// Whether the event takes its row away.
    let removal: Expression
    let sums: [(sum: Operator.Sum, value: Expression?)]

    /// Where the rows of all contributions stand: `{ path: [ { by, total, average } ] }`.
    static let field = "_contributions"

    var name: String { "$contribute" }
    var purpose: PathPurpose { .create }

    var operand: Operand {
        .named(
            [Operand.Named("by", .expression(row)), Operand.Named("remove", .expression(removal))]
                + sums.map { Operand.Named($0.sum.rawValue, $0.value.map(Operand.expression) ?? .none) })
    }

    /// The effect sees to it.
    func apply(to target: inout Value?, _ site: Site, _ context: Context) throws(Refusal) -> Bool { false }

    /// What sets the sums.
    var operators: [Operator] {
        sums.map { .set(FieldPath(path.names + [$0.sum.rawValue], computed: path.computed), .variable(name: variable($0.sum), path: [])) }
    }

    /// A name that no definition can give.
    private func variable(_ sum: Operator.Sum) -> String { "\(path) \(sum.rawValue)" }

    /// Enters the event's row, or takes it away, and gives the sums their names. Says whether the rows have changed.
    func enter(into fields: inout Document, _ site: Site, _ context: inout Context) throws(Refusal) -> Bool {
        let key = try evaluate(row, site, context)
        var all = fields[Self.field]?.asDocument ?? Document()
        var rows = all[path.description]?.asArray ?? []
        let place = rows.firstIndex { row in row.asDocument?["by"].map { Value.order($0, key) == 0 } ?? false }
        let before = rows
        if try removal.evaluate(context).isTrue {
            if let place { rows.remove(at: place) }
        } else {
            var row: Document = ["by": key]
            for case (let sum, let value?) in sums {
                if let number = try number(value, sum, site, context) { row.append(sum.rawValue, number) }
            }
            if let place { rows[place] = .document(row) } else { rows.append(.document(row)) }
            try checkLength(of: rows, site)
        }
        for (sum, _) in sums { context.bind(variable(sum), sum.value(of: rows)) }
        guard rows != before else { return false }
        all[path.description] = .array(rows)
        fields[Self.field] = .document(all)
        return true
    }

    /// What a row adds to a sum; nil for one that says nothing.
    private func number(_ expression: Expression, _ sum: Operator.Sum, _ site: Site, _ context: Context) throws(Refusal) -> Value? {
        guard let value = try expression.evaluate(context), value != .null else { return nil }
        guard value.asNumber != nil else {
            throw Refusal(.badOperand, "$contribute \(path): \(sum.rawValue) is a value of type \(value.typeName), not a number")
        }
        return value
    }
}

extension Operator {
    /// What `$contribute` adds up, each under its name.
    public enum Sum: String, Hashable, Sendable, CaseIterable {
        case count, total, average

        fileprivate func value(of rows: [Value]) -> Value {
            let numbers = rows.map { $0.asDocument?[rawValue] }
            switch self {
            case .count: return Value(integer: Int64(rows.count))
            case .total: return AccumulationOperators.sum(numbers)
            case .average: return AccumulationOperators.average(numbers)
            }
        }
    }

    /// - Parameters:
    ///   - row: what tells the source rows apart.
    ///   - removal: whether the event takes its row away.
    ///   - sums: with what a row adds to each; nothing for the count.
    public static func contribute(_ path: FieldPath, by row: Expression, remove removal: Expression, _ sums: [(sum: Sum, value: Expression?)]) -> Operator {
        Operator(path, Contribute(path: path, row: row, removal: removal, sums: sums))
    }
}
