import Models
import Values

extension Expression {
    /// Levels of nesting that its value has at least; what it takes from an event or a document can only be known then.
    var depth: Int {
        switch self {
        case .literal(let literal): literal.value.levels
        case .event, .document, .variable, .apply: 0
        case .object(let members): 1 + (members.lazy.map(\.value.depth).max() ?? 0)
        case .array(let elements): 1 + (elements.lazy.map(\.depth).max() ?? 0)
        }
    }
}

extension Value {
    /// Levels of nesting: 0 for a scalar.
    var levels: Int {
        switch self {
        case .document(let document): 1 + (document.fields.lazy.map(\.value.levels).max() ?? 0)
        case .array(let values): 1 + (values.lazy.map(\.levels).max() ?? 0)
        default: 0
        }
    }
}
