import Events
import Values

/// What one event may make of a document; what goes beyond parks it. Documents' bytes and levels have limits of their
/// own, `Model.maximumDocumentSize` and `BSON.maximumDepth`.
public enum Limits {
    /// Elements of one array that operators add to.
    public static let arrayLength = 100_000
    /// Steps of one effect's expressions, where they go through arrays: each use of an operator is one, and so are each
    /// element and each `bytesPerStep` of text in what it gives.
    public static let steps = 1_000_000
    static let bytesPerStep = 64
}

/// Counts the steps of one effect's expressions for one event.
final class StepCount {
    private var left = Limits.steps

    func take(_ op: ExpressionOperator, giving value: Value?) throws(Refusal) {
        switch value {
        case .array(let elements)?: left -= 1 + elements.count
        case .string(let text)?: left -= 1 + text.utf8.count / Limits.bytesPerStep
        default: left -= 1
        }
        guard left >= 0 else { throw Refusal(.tooManySteps, "\(op.name): the effect's expressions took more than \(Limits.steps) steps") }
    }
}

extension Action {
    func checkLength(of elements: [Value], _ site: Site) throws(Refusal) {
        guard elements.count <= Limits.arrayLength else {
            throw Refusal(.arrayTooLong, "\(name) \(site.path): the array would have \(elements.count) elements, above the limit of \(Limits.arrayLength)")
        }
    }
}
