import Events
import Values

/// `$set`. What `$$REMOVE` chooses is removed, or not made.
struct Assign: Action {
    let value: Expression
    private let mayRemove: Bool

    init(value: Expression) {
        self.value = value
        mayRemove = value.mayRemove
    }

    var name: String { "$set" }
    var operand: Operand { .expression(value) }
    var purpose: PathPurpose { .create }

    func apply(to target: inout Value?, _ site: Site, _ context: Context) throws(Refusal) -> Bool {
        if mayRemove, try value.evaluate(context) == nil {
            defer { target = nil }
            return target != nil
        }
        let value = try evaluate(value, site, context)
        let isChanged = target != value
        target = value
        return isChanged
    }
}

/// `derive`: a field that is computed from the document, and is not there while its value is missing.
struct Derive: Action {
    let value: Expression

    var name: String { "derive" }
    var operand: Operand { .expression(value) }
    var purpose: PathPurpose { .create }

    func apply(to target: inout Value?, _ site: Site, _ context: Context) throws(Refusal) -> Bool {
        let value = try value.evaluate(context) == nil ? nil : evaluate(value, site, context)
        let isChanged = target != value
        target = value
        return isChanged
    }
}

/// `$setOnInsert`: where there was no document before the effect.
struct AssignOnInsert: Action {
    let value: Expression

    var name: String { "$setOnInsert" }
    var operand: Operand { .expression(value) }
    var purpose: PathPurpose { .create }

    /// The value is not asked for either: events that come later need not bring it.
    func isIdle(_ site: Site, _ context: Context) -> Bool { !context.isInsert }

    func apply(to target: inout Value?, _ site: Site, _ context: Context) throws(Refusal) -> Bool {
        if isIdle(site, context) { return false }
        let value = try evaluate(value, site, context)
        let isChanged = target != value
        target = value
        return isChanged
    }
}

/// `$unset`.
struct Unset: Action {
    var name: String { "$unset" }
    var operand: Operand { .none }
    var purpose: PathPurpose { .remove }

    func apply(to target: inout Value?, _ site: Site, _ context: Context) throws(Refusal) -> Bool {
        defer { target = nil }
        return target != nil
    }
}

/// `$delete`: the document goes. It has no path to follow, and the effect sees to it.
struct Delete: Action {
    var name: String { "$delete" }
    var operand: Operand { .none }
    var purpose: PathPurpose { .remove }

    func apply(to target: inout Value?, _ site: Site, _ context: Context) throws(Refusal) -> Bool { false }
}

extension Operator {
    public static func set(_ path: FieldPath, _ value: Expression) -> Operator { Operator(path, Assign(value: value)) }

    public static func setOnInsert(_ path: FieldPath, _ value: Expression) -> Operator { Operator(path, AssignOnInsert(value: value)) }

    public static func derive(_ path: FieldPath, _ value: Expression) -> Operator { Operator(path, Derive(value: value)) }

    public static func unset(_ path: FieldPath) -> Operator { Operator(path, Unset()) }

    /// Removes the document. Stands alone in its effect.
    public static var delete: Operator { Operator(FieldPath([]), Delete()) }
}
