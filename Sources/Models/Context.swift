import Events
import Values

/// What one effect can see while it is applied to one document.
struct Context {
    var event: Event
    /// The fields before the effect; empty when there is no document, or no expression looks at it.
    var before: Document
    /// Whether there was no document before the effect.
    var isInsert: Bool
    /// What `let` and the operators around an expression have given names, the innermost last.
    var variables: [Variable] = []
    /// nil where no expression goes through an array, so that none can take many steps.
    var steps: StepCount?
    /// The effect's array filters, with the values for this event.
    var filters: [Predicate<Value>] = []
    /// What each `$rename` took from its source, by the operator's place in the effect.
    var taken: [Int: Value] = [:]

    struct Variable {
        var name: String
        var value: Value?
    }

    func binding(_ name: String, _ value: Value?) -> Context {
        var context = self
        context.variables.append(Variable(name: name, value: value))
        return context
    }

    func document(_ path: [String]) -> Value? {
        guard let name = path.first else {
            let fields = before.fields.filter { !StoredDocument.hiddenFields.contains($0.name) }
            return .document(Document([Document.Field("_id", .string(event.key))] + fields))
        }
        if name == "_id" { return path.count == 1 ? .string(event.key) : nil }
        return before[name]?.resolve(path.dropFirst())
    }
}
