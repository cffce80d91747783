import Events
import Values

/// What an operator does to the value at its path. Each is a type of its own; following the path is `PathNode`'s.
protocol Action: Sendable {
    /// As a definition writes it: `$inc`.
    var name: String { get }
    var operand: Operand { get }
    var purpose: PathPurpose { get }

    /// Changes the value in place, and says whether it did. The target is nil where nothing is, and is left nil to
    /// remove it. When it throws, the target is as it was.
    func apply(to target: inout Value?, _ site: Site, _ context: Context) throws(Refusal) -> Bool

    /// Whether it has nothing to do for this event, wherever its path leads.
    func isIdle(_ site: Site, _ context: Context) -> Bool
}

/// What a path is followed for, which decides what happens where it leads nowhere.
enum PathPurpose {
    /// Missing parents become documents and arrays are padded with null, as with `$set`.
    case create
    /// Nothing happens where something is missing, but what stands in the way is refused, as with `$pull`.
    case change
    /// Nothing happens, whatever the reason, as with `$unset`.
    case remove
}

/// Which operator of an effect is at work, and where. A class, as the plan is one.
final class Site: Sendable {
    let path: FieldPath
    /// The operator's place in its effect.
    let number: Int

    init(path: FieldPath, number: Int) {
        self.path = path
        self.number = number
    }
}

extension Action {
    func isIdle(_ site: Site, _ context: Context) -> Bool { false }

    /// The value for a place so many levels below the path.
    func evaluate(_ expression: Expression, _ site: Site, _ context: Context, below levels: Int = 0) throws(Refusal) -> Value {
        guard let value = try expression.evaluate(context) else { throw Refusal(.missingValue, "\(name): the value for \(site.path) is missing") }
        guard site.path.names.count + levels + value.depth <= BSON.maximumDepth else {
            throw Refusal(.documentTooDeep, "\(site.path) would be nested deeper than \(BSON.maximumDepth) levels")
        }
        return value
    }

    func evaluateInteger(_ expression: Expression, _ word: String, _ site: Site, _ context: Context) throws(Refusal) -> Int {
        let value = try evaluate(expression, site, context)
        guard let number = value.asInteger else { throw Refusal(.badOperand, "\(word) for \(site.path) is not an integer") }
        return Int(number)
    }

    func evaluateArray(_ expression: Expression, _ word: String, _ site: Site, _ context: Context) throws(Refusal) -> [Value] {
        let value = try evaluate(expression, site, context)
        guard case .array(let values) = value else { throw Refusal(.badOperand, "\(word) for \(site.path) is of type \(value.typeName), not an array") }
        return values
    }

    /// Why the operator cannot be applied to a value of this type.
    func refusal(_ value: Value, not wanted: String, _ site: Site) -> Refusal {
        Refusal(.badOperand, "\(name) \(site.path): the field is of type \(value.typeName), not \(wanted)")
    }
}
