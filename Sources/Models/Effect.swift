import Values

/// What one event does to its document: operators in the order in which the definition names them.
public struct Effect: Hashable, Sendable {
    public var operators: [Operator]

    public init(_ operators: [Operator]) { self.operators = operators }
}

/// One operator applied to one path. Names and meaning are those of MongoDB's update operators.
public enum Operator: Hashable, Sendable {
    case set(FieldPath, Expression)
    case unset(FieldPath)
    case increment(FieldPath, Expression)
    case minimum(FieldPath, Expression)
    case maximum(FieldPath, Expression)
    case push(FieldPath, Elements, slice: Expression?)
    case addToSet(FieldPath, Elements)
    /// Removes the elements that equal the value or, where the value is a document, have its members.
    case pull(FieldPath, Expression)
    /// Removes the document. Stands alone in its effect.
    case delete

    /// What `$push` and `$addToSet` add.
    public enum Elements: Hashable, Sendable {
        case one(Expression)
        /// `$each`: the elements of an array.
        case each(Expression)
    }

    /// The path it changes; nil for `$delete`.
    public var path: FieldPath? {
        switch self {
        case .set(let path, _), .unset(let path), .increment(let path, _), .minimum(let path, _), .maximum(let path, _), .push(let path, _, _),
            .addToSet(let path, _), .pull(let path, _):
            path
        case .delete: nil
        }
    }
}
