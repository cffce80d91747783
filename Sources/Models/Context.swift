import Events
import Values

/// What one effect can see while it is applied to one document. One is made with every event, so what few effects have is
/// behind references.
struct Context {
    let event: Event
    /// The fields before the effect; empty when there is no document, or no expression looks at it.
    let before: Document
    /// Whether there was no document before the effect.
    let isInsert: Bool
    /// nil where no expression goes through an array, so that none can take many steps.
    var steps: StepCount?
    var variables: Variable?
    /// nil where no path asks for any.
    var lookups: Lookups?

    /// What `let` or an operator around an expression has given a name.
    final class Variable {
        let name: String
        let value: Value?
        /// The one that was named before it.
        let outer: Variable?

        init(_ name: String, _ value: Value?, within outer: Variable?) {
            self.name = name
            self.value = value
            self.outer = outer
        }
    }

    /// What an effect looks up once, before its paths are followed.
    final class Lookups {
        /// The effect's array filters, with the values for this event.
        let filters: [Predicate<Value>]
        /// What each `$rename` took from its source, by the operator's place in the effect.
        let taken: [Int: Value]

        init(filters: [Predicate<Value>], taken: [Int: Value]) {
            self.filters = filters
            self.taken = taken
        }
    }

    mutating func bind(_ name: String, _ value: Value?) { variables = Variable(name, value, within: variables) }

    func binding(_ name: String, _ value: Value?) -> Context {
        var context = self
        context.bind(name, value)
        return context
    }

    /// The value of the innermost variable of a name.
    func variable(_ name: String) -> Value? {
        var variable = variables
        while let found = variable, !found.name.utf8Equal(name) { variable = found.outer }
        return variable?.value
    }

    func document(_ path: [String]) -> Value? {
        guard let name = path.first else {
            let fields = before.fields.filter { !StoredDocument.hiddenFields.contains($0.name) }
            return .document(Document([Document.Field("_id", .string(event.key))] + fields))
        }
        if name == "_id" { return path.count == 1 ? .string(event.key) : nil }
        return before[name]?.resolve(path, from: 1)
    }
}
