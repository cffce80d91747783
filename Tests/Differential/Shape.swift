/// Where a path leads: the columns of the table.
enum Shape: String, CaseIterable {
    case top, new, dotted, child, parents, index, end, beyond, element, inner, scalar, array, every, member, filtered, matching, deep, wrong, absent

    /// The path, for a document in which `a` is made for it. `$[e]` and `$[f]` are filters.
    var path: String {
        switch self {
        case .top, .new, .absent: "a"
        case .dotted, .child, .scalar, .array: "a.b"
        case .parents: "a.b.c"
        case .index: "a.1"
        case .end: "a.2"
        case .beyond: "a.4"
        case .element: "a.0.b"
        case .inner: "a.1.0"
        case .every, .wrong: "a.$[]"
        case .member: "a.$[].b"
        case .filtered: "a.$[e]"
        case .matching: "a.$[e].b"
        case .deep: "a.$[].b.$[f]"
        }
    }

    /// Whether a `$rename` can be written with such a path.
    var isPlain: Bool { !path.contains("$") }
}

/// The types of values: the rows of the table, for each operator.
enum Kind: String, CaseIterable {
    case null, bool, int, long, double, decimal, string, date, array, object, other
}

/// The operators, and which kinds of operands and targets they are for; with any other mongod refuses them.
enum Verb: String, CaseIterable {
    case set = "$set"
    case setOnInsert = "$setOnInsert"
    case unset = "$unset"
    case inc = "$inc"
    case mul = "$mul"
    case min = "$min"
    case max = "$max"
    case rename = "$rename"
    case push = "$push"
    case addToSet = "$addToSet"
    case pull = "$pull"
    case pullAll = "$pullAll"
    case pop = "$pop"
    case bit = "$bit"

    var operands: [Kind] {
        switch self {
        case .inc, .mul: [.int, .long, .double, .decimal]
        case .bit: [.int, .long]
        case .pop: [.int, .long, .double]
        default: Kind.allCases
        }
    }

    var targets: [Kind] {
        switch self {
        case .inc, .mul: [.int, .long, .double, .decimal]
        case .bit: [.int, .long]
        case .push, .addToSet, .pull, .pullAll, .pop: [.array]
        default: Kind.allCases
        }
    }

    /// Whether the operator is given no value: its row is then the type of what it works on.
    var takesNothing: Bool { [.unset, .rename].contains(self) }
}
